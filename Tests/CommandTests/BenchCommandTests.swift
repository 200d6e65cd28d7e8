// `crosspoint bench` from its arguments to what it tries, and from what it found to its text.

@testable import CrosspointCommands
import ArgumentParser
import Foundation
import Routing
import TestSupport
import Testing

@testable import Qualification

@Suite("Bench") struct BenchCommandTests {
    private func settings(_ arguments: String...) throws -> Qualification.Settings {
        try BenchCommand.parse(arguments).settings()
    }

    private func refusal(_ arguments: [String]) -> CommandError? {
        do {
            _ = try BenchCommand.parse(arguments).settings()
            return nil
        } catch {
            return CommandError(describing: error, command: "bench")
        }
    }

    @Test("What is asked for is what is tried")
    func arguments() throws {
        let ordinary = try settings()
        #expect(ordinary.format.name == "2110-20-1080p59.94" && ordinary.legs == 1 && ordinary.flows == nil)
        #expect(ordinary.engine == .kernel && ordinary.interfaces == nil && ordinary.seconds == 1)
        let other = try settings(
            "2022-6", "--legs", "8", "--flows", "3", "--accounting", "counters", "--duration", "2.5", "--cpu", "0")
        #expect(other.format.name == "2022-6-1080i59.94" && other.legs == 8 && other.flows == 3)
        #expect(other.accounting == .counters && other.seconds == 2.5 && other.processor == 0)
        let free = try settings("--size", "200", "--rate", "10Mb/s", "--from", "eth2", "--to", "eth3", "--confirm")
        #expect(free.format.frameLength == 200 && abs(free.format.wireRate - 10e6) < 1e-3)
        #expect(free.interfaces == .init(outside: "eth2", inside: "eth3"))
    }

    @Test(
        "A wrong argument is named with its remedy",
        arguments: [
            (["2110-20-1080p59.95"], "did you mean '2110-20-1080p59.94'?"), (["nonsense"], "--list-formats"),
            (["--size", "200"], "give both"), (["2022-6", "--size", "200", "--rate", "1Mb/s"], "leave out '2022-6'"),
            (["--size", "71", "--rate", "1Mb/s"], "72 to 3400 bytes"),
            (["--size", "200", "--rate", "fast"], "2.66Gb/s"),
            (["--legs", "0"], "1 to 64 legs"), (["--legs", "65"], "1 to 64 legs"), (["--flows", "0"], "1 to 16384"),
            (["--engine", "kernle"], "did you mean 'kernel'?"), (["--accounting", "ful"], "did you mean 'full'?"),
            (["--engine", "afxdp", "--cpu", "0"], "CPU 0 for itself"), (["--duration", "0.1"], "0.2 to 20 seconds"),
            (["--cpu", "4000"], "processors 0 to"),
            (["--from", "eth2"], "belong together"),
            (["--from", "eth2", "--to", "eth2", "--confirm"], "two interfaces"),
            (["--from", "eth2", "--to", "eth3"], "--confirm"), (["--confirm"], "--from and --to"),
        ] as [([String], String)])
    func refusals(arguments: [String], remedy: String) throws {
        let error = try #require(refusal(arguments))
        #expect(error.exitStatus == 64 && error.message.contains(remedy), "\(error.message)")
        #expect(!error.message.contains("\n"))
    }

    @Test("The list of formats has every format, with size and rate")
    func list() {
        let lines = BenchFormat.table(colour: false).split(separator: "\n")
        #expect(lines.count == MediaFormat.all.count + 1)
        #expect(
            lines.contains { $0.contains("2110-20-1080p59.94 ") && $0.contains("1262 B") && $0.contains("2.66 Gb/s") })
    }

    @Test("The text has every trial, what was measured, and the sentence as its last line")
    func text() throws {
        var settings = Qualification.Settings(
            format: try #require(MediaFormat.named("2110-20-1080p59.94")), processor: 0)
        settings.legs = 2
        var report = QualificationReport(settings)
        func result(sent: UInt64, arrived: UInt64, idle: Double, bucket: Int) -> TrialResult {
            var latency = LatencyHistogram()
            latency.add(100, inBucket: bucket)
            latency.add(largest: LatencyHistogram.lowerBound(ofBucket: bucket), sum: 0)
            return TrialResult(
                planned: 1000, sent: sent, arrived: arrived, seconds: 1, idle: idle, largestDelay: 0, processors: [],
                latency: latency, jitter: 300)
        }
        report.trials = [
            .init(flows: 10, result(sent: 1000, arrived: 2000, idle: 0, bucket: 0), legs: 2),
            .init(flows: 12, result(sent: 900, arrived: 1800, idle: 0, bucket: 0), legs: 2),
            .init(flows: 11, result(sent: 1000, arrived: 1993, idle: 0, bucket: 0), legs: 2),
        ]
        report.flows = 10
        report.cost = .init(node: 4e6, direct: 10e6)
        report.load = .init(
            flows: 5, through: result(sent: 1000, arrived: 2000, idle: 0.5, bucket: 200),
            past: result(sent: 1000, arrived: 1000, idle: 0.7, bucket: 160), ownProcessor: nil)
        let text = BenchText.text(of: report, colour: false)
        #expect(text.hasSuffix("\nthis node carries 10 flows of 1080p59.94 to 2 legs each per core\n"))
        for part in [
            "no loss", "too slow: 100 of 1000 packets were not sent in time", "7 copies lost",
            "250 ns of processor time a packet, of which generator and sink take 100 ns without the node: 150 ns are the node's",
            "4.00 % of the core for one flow, at 5 flows", "5.18 Mpkt/s and 53.3 Gb/s out on one core", "AT 5 FLOWS",
            "without the node", "█",
        ] {
            #expect(text.contains(part), "\(part) in:\n\(text)")
        }
        #expect(text.split(separator: "\n").allSatisfy { $0.last != " " })
        // The jitter, last in its row, is the same with the node and without.
        let added = try #require(text.split(separator: "\n").first { $0.hasPrefix("added") })
        #expect(added.hasSuffix(" none") && !added.dropLast(5).contains("none"), "\(added)")
    }

    /// What the program finds on this machine, at a load so small that it is no question of speed.
    @Suite(.serialized, .enabled(if: hasPrivileges, "\(privilegesReason)"), .timeLimit(.minutes(5)))
    struct Run {
        private func report(_ text: String) throws -> QualificationReport {
            try JSONDecoder().decode(QualificationReport.self, from: Data(text.utf8))
        }

        @Test("An AF_XDP worker forwards where it is asked for, and its processor's time is told")
        func worker() throws {
            let program = try BuiltProducts.path(of: "crosspoint")
            let namespace = try NetworkNamespace("bench")
            let output = try namespace.run([
                program, "bench", "--size", "1262", "--rate", "10Mb/s", "--legs", "2", "--flows", "2", "--duration",
                "0.2",
                "--engine", "afxdp", "--cpu", "1", "--json",
            ])
            let report = try report(output)
            #expect(report.flows == 2 && report.engine == "afxdp")
            #expect(report.trials.allSatisfy { $0.lost == 0 && $0.sent >= $0.planned })
            #expect(report.cost?.nodeNanoseconds == nil)
            #expect(report.sentence.hasSuffix("per worker"))
        }

        @Test("It searches, measures, and leaves nothing behind")
        func search() throws {
            let program = try BuiltProducts.path(of: "crosspoint")
            let namespace = try NetworkNamespace("bench")
            let directory = try TemporaryDirectory()
            let pins = try Command.run(["ls", "/sys/fs/bpf"])
            // 100 Mb/s of 1262-byte frames: a machine carries hundreds of these, or tens in a bad hour.
            let output = try namespace.run([
                program, "bench", "--size", "1262", "--rate", "100Mb/s", "--legs", "3", "--duration", "0.2", "--json",
                "--output", "\(directory.path)/report",
            ])
            let report = try report(output)
            #expect(report.flows > 0 && report.legs == 3 && report.engine == "kernel")
            let carried = report.trials.filter { $0.flows == report.flows }
            #expect(carried.contains { $0.isWithoutLoss && $0.lost == 0 && $0.sent >= $0.planned })
            let cost = try #require(report.cost)
            #expect(cost.packetsPerSecond > 0 && cost.directPacketsPerSecond > 0)
            let load = try #require(report.load)
            #expect(load.latency.p50 > 0 && load.latency.p99 >= load.latency.p50 && load.latency.max > 0)
            #expect(abs(load.parts.reduce(0, +) - 1) < 1e-6 && load.directLatency != nil)
            let written = try Data(contentsOf: URL(filePath: "\(directory.path)/report.json"))
            #expect(try JSONDecoder().decode(QualificationReport.self, from: written) == report)
            #expect(try String(contentsOfFile: "\(directory.path)/report.svg", encoding: .utf8).hasPrefix("<svg"))
            // It had a network of its own.
            #expect(try namespace.run(["ip", "-o", "link", "show", "type", "veth"]).isEmpty)
            let left = Set(try Command.run(["ls", "/sys/fs/bpf"]).split(separator: "\n"))
                .subtracting(pins.split(separator: "\n"))
            #expect(!left.contains { $0.contains("bench") }, "\(left)")
        }

        @Test("Between two interfaces it works on them, and leaves them when it is interrupted")
        func interfaces() throws {
            let program = try BuiltProducts.path(of: "crosspoint")
            let namespace = try NetworkNamespace("bench")
            try namespace.run(["ip", "link", "add", "eth2", "type", "veth", "peer", "name", "eth3"])
            for name in ["eth2", "eth3"] { try namespace.run(["ip", "link", "set", name, "up"]) }
            let arguments = [
                program, "bench", "--from", "eth2", "--to", "eth3", "--confirm", "--size", "200", "--rate", "1Mb/s",
                "--flows", "1", "--json",
            ]
            let refused = try namespace.start(
                arguments.map { $0 == "eth3" ? "eth9" : $0 }
            ).finish(checked: false)
            #expect(refused.contains("there is no interface 'eth9'; there are eth2, eth3, lo"), "\(refused)")
            let output = try namespace.start(arguments + ["--duration", "0.5"]).finish(checked: false)
            // A busy machine may send too late; what was sent must have come back.
            let report = try report(String(output.split(separator: "\ncrosspoint: ").first ?? ""))
            #expect(report.interfaces == ["eth2", "eth3"])
            #expect(!report.trials.isEmpty && report.trials.allSatisfy { $0.sent > 0 && $0.lost == 0 })

            let endless = try namespace.start(arguments + ["--duration", "20"])
            func isAttached() throws -> Bool {
                try namespace.run(["ip", "-d", "link", "show", "eth3"]).contains("xdp")
            }
            for _ in 0..<600 where try !isAttached() { usleep(50_000) }
            #expect(try isAttached())
            endless.signal(SIGINT)
            _ = try endless.finish(checked: false)
            for _ in 0..<200 where try isAttached() { usleep(50_000) }
            #expect(try !isAttached())
        }
    }
}
