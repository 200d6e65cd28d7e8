// The metrics are valid Prometheus text and follow its conventions.

import FastPath
@testable import Node
import Testing

@Suite("Prometheus text")
struct PrometheusTests {
    /// The families of a text, with what the format demands of each line.
    private struct Parsed {
        var types: [String: String] = [:]
        var helps: [String: Int] = [:]
        var samples: [(name: String, labels: String, value: String)] = []

        init(_ text: String) throws {
            var last = ""
            for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                if line.hasPrefix("# HELP ") {
                    last = String(line.split(separator: " ")[2])
                    helps[last, default: 0] += 1
                } else if line.hasPrefix("# TYPE ") {
                    let words = line.split(separator: " ")
                    #expect(String(words[2]) == last, "TYPE without HELP: \(line)")
                    #expect(types.updateValue(String(words[3]), forKey: last) == nil, "TYPE twice: \(line)")
                } else {
                    let sample = try #require(
                        try #/^([a-z_:]+)(\{.*\})? (-?[0-9]+(?:\.[0-9]+)?)$/#.wholeMatch(in: line), "\(line)")
                    #expect(String(sample.1) == last, "sample outside its family: \(line)")
                    samples.append((last, sample.2.map(String.init) ?? "", String(sample.3)))
                }
            }
        }
    }

    @Test("HELP and TYPE stand once before the samples of each family; counters end in _total, gauges do not")
    func families() throws {
        let text = PrometheusText.text(of: SampleStatistics.full())
        #expect(text.hasSuffix("\n"))
        let parsed = try Parsed(text)
        #expect(parsed.helps.values.allSatisfy { $0 == 1 })
        #expect(Set(parsed.helps.keys) == Set(parsed.types.keys))
        for (name, type) in parsed.types {
            #expect(name.hasPrefix("crosspoint_"))
            #expect((type == "counter") == name.hasSuffix("_total"), "\(name) is a \(type)")
        }
        #expect(Set(parsed.samples.map { $0.name + $0.labels }).count == parsed.samples.count, "a sample stands twice")
    }

    @Test("Values are in base units")
    func values() throws {
        let parsed = try Parsed(PrometheusText.text(of: SampleStatistics.full()))
        func value(_ name: String) -> String? { parsed.samples.first { $0.name == name }?.value }
        #expect(value("crosspoint_flow_packets_total") == "1000")
        #expect(value("crosspoint_flow_bytes_total") == "1442000")
        #expect(value("crosspoint_flow_rtp_jitter_seconds") == "0.0000123")
        #expect(value("crosspoint_flow_rtp_lost_packets") == "2")
        #expect(value("crosspoint_flow_last_packet_timestamp_seconds") == "1795227378.122996")
        let reasons = parsed.samples.filter { $0.name == "crosspoint_port_dropped_packets_total" }
        #expect(reasons.map(\.labels).contains(#"{port="eth0",reason="drop_wrong_source"}"#))
    }

    @Test("Label values are escaped")
    func escaping() throws {
        var snapshot = SampleStatistics.full()
        snapshot.node = "a\"b\\c\nd"
        let text = PrometheusText.text(of: snapshot)
        #expect(text.contains(#"node="a\"b\\c\nd""#))
        _ = try Parsed(text)
        #expect(PrometheusWriter.escape("a\"b\\c\nd", quotes: false) == #"a"b\\c\nd"#)
    }

    @Test("A node without flows has no families of flows")
    func empty() throws {
        let snapshot = StatisticsSnapshot(
            node: "a", unixNanoseconds: 1, monotonicNanoseconds: 1, programVersion: "x", ports: [], flows: [])
        #expect(try Parsed(PrometheusText.text(of: snapshot)).types.keys.sorted() == ["crosspoint_build_info"])
    }

    @Test(
        "Nanoseconds become seconds exactly",
        arguments: [
            (0, "0"), (1, "0.000000001"), (1_500_000_000, "1.5"), (1_000_000_000, "1"),
            (UInt64.max, "18446744073.709551615"),
        ] as [(UInt64, String)])
    func seconds(nanoseconds: UInt64, text: String) { #expect(PrometheusWriter.seconds(nanoseconds) == text) }
}
