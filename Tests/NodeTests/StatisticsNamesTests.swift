// Every name that statistics carry is documented, one by one.

import FastPath
import Foundation
import Node
import Sessions
import Testing

@Suite("Names of statistics")
struct StatisticsNamesTests {
    private let document: String

    init() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        document = try String(contentsOf: root.appending(path: "docs/statistics.md"), encoding: .utf8)
    }

    /// The keys of `value` and of everything in it, except the names of reasons, which are not the snapshot's own.
    private func keys(_ value: Any, in key: String = "") -> Set<String> {
        if let object = value as? [String: Any] {
            if ["dropped", "passed", "undelivered", "counters"].contains(key) { return [] }
            return object.reduce(into: Set(object.keys)) { $0.formUnion(keys($1.value, in: $1.key)) }
        }
        return (value as? [Any] ?? []).reduce(into: []) { $0.formUnion(keys($1)) }
    }

    @Test("Every key of the JSON stands in docs/statistics.md")
    func json() throws {
        let sessions = SessionStatistics(sessions: [], counters: [])
        let measured = MeasuredStatistics(
            from: SampleStatistics.full(), to: SampleStatistics.full(), sessions: sessions)
        let object = try JSONSerialization.jsonObject(with: try JSONText.encode(measured))
        let keys = keys(object)
        #expect(keys.count > 50)
        for key in keys.sorted() { #expect(document.contains("`\(key)`"), "\(key) is not documented") }
    }

    @Test("Every metric stands in docs/statistics.md")
    func metrics() throws {
        let session = SessionReport(
            name: "a", kind: .rtspPlayer, state: "playing", target: "/a", peer: "10.2.0.5:1", startedAt: "")
        let text = PrometheusText.text(
            of: SampleStatistics.full(), sessions: SessionStatistics(sessions: [session]))
        let names = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
        #expect(names.count > 30)
        for name in names { #expect(document.contains("`\(name)`"), "\(name) is not documented") }
    }

    @Test("Every reason stands in docs/statistics.md")
    func reasons() {
        #expect(!DropReason.all.isEmpty)
        for reason in DropReason.all {
            #expect(document.contains("| `\(reason.name)` |"), "\(reason.name) is not documented")
        }
    }

    @Test("Every counter of AF_XDP sockets stands in docs/statistics.md")
    func socketCounters() {
        #expect(!SocketStatistics.counterNames.isEmpty)
        for name in SocketStatistics.counterNames {
            #expect(document.contains("`\(name)`"), "\(name) is not documented")
        }
    }

    @Test("A snapshot comes back from JSON as it was")
    func roundTrip() throws {
        let snapshot = SampleStatistics.full()
        #expect(try JSONText.decode(type(of: snapshot), from: try JSONText.encode(snapshot)) == snapshot)
    }
}
