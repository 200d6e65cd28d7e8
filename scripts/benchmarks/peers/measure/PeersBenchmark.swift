// Measures Crosspoint and what else forwards media, in turns, in one run.

import ArgumentParser
import CrosspointShim
import Foundation
import Glibc
import Qualification

@main
struct PeersBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peers-benchmark",
        abstract: "Compare Crosspoint with what else forwards media, in a network namespace of its own.",
        discussion: """
            All peers take turns in every round. Exit code 3: a required figure was missed; 1: nothing could be measured.
            """)

    @Option(help: "Rounds.") var rounds = 1
    @Option(help: "Numbers of destinations.") var destinations = [1, 8, 32]
    @Option(help: "Measure only this peer and Crosspoint.") var only: [String] = []
    @Option(help: "Length of a trial, seconds.") var seconds = 0.3
    @Option(help: "Packets per second at which latency is measured, where the peer can.") var load = 260_000.0
    @Option(help: "The processor that generator, kernel and sinks work on.") var cpu: UInt32?
    @Option(help: "The script that tells rtpengine what to forward.")
    var rtpengineDriver = "scripts/benchmarks/peers/rtpengine.py"
    @Option(help: "Write PREFIX.json, PREFIX.md and PREFIX.svg.") var output: String?
    @Flag(name: .customLong(Self.enteredName), help: .private) var hasEntered = false
    private static let enteredName = "has-private-namespaces"

    func run() async throws {
        if !hasEntered { try PrivateNamespaces.restart(hasNetwork: true, adding: "--\(Self.enteredName)") }
        let count = UInt32(max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))))
        let processor = min(cpu ?? count - 1, count - 1)
        let bench = try PeerBench(
            processor: processor, programProcessor: (processor + 1) % count, seconds: seconds,
            driver: rtpengineDriver)
        var report = PeersReport()
        (report.kernel, report.processor) = Self.host
        let peers = Peer.all.filter { only.isEmpty || $0.name == Peer.crosspointName || only.contains($0.name) }
        report.entries = destinations.flatMap { destinations in
            peers.map { peer in
                PeersReport.Entry(
                    peer: peer.name, title: peer.title, destinations: destinations, rewrites: peer.rewrites,
                    isSocketRelay: peer.isSocketRelay, reason: peer.cannot(destinations) ?? Self.missing(peer.needs))
            }
        }
        for round in 1...max(1, rounds) {
            for index in report.entries.indices where report.entries[index].reason == nil {
                guard let peer = peers.first(where: { $0.name == report.entries[index].peer }) else { continue }
                await measure(peer, &report.entries[index], bench, round: round)
            }
        }
        for index in report.entries.indices {
            report.entries[index].figures = Self.median(report.entries[index].rounds)
        }
        report.addTargets()
        print(report.markdown)
        try write(report)
        guard report.entries.contains(where: { $0.figures != nil }) else { throw ExitCode(1) }
        if report.targets.contains(where: { !$0.isMet }) { throw ExitCode(3) }
    }

    private func measure(_ peer: Peer, _ entry: inout PeersReport.Entry, _ bench: PeerBench, round: Int) async {
        let began = ContinuousClock.now
        let guess = entry.rounds.last?.packetsPerSecond ?? peer.guess / (0.7 + 0.3 * Double(entry.destinations))
        do {
            let running = try await peer.start(bench, entry.destinations)
            let result: Result<PeerFigures, any Error>
            do {
                result = .success(try await bench.figures(running, legs: entry.destinations, guess: guess, load: load))
            } catch {
                result = .failure(error)
            }
            await running.stop()
            entry.rounds.append(try result.get())
        } catch {
            entry.reason = String(describing: error).split(separator: "\n").joined(separator: "; ")
        }
        let outcome =
            entry.reason
            ?? entry.rounds.last.map { figures in
                "\(PeersReport.rate(figures.packetsPerSecond)) packets/s, added p50 \(PeersReport.time(figures.addedP50)), "
                    + "p99 \(PeersReport.time(figures.addedP99)) at \(PeersReport.rate(figures.load))"
            } ?? ""
        let seconds = (ContinuousClock.now - began).components.seconds
        FileHandle.standardError.write(
            Data("round \(round), \(entry.destinations) x \(peer.title): \(outcome) (\(seconds) s)\n".utf8))
    }

    /// The median of each figure.
    private static func median(_ rounds: [PeerFigures]) -> PeerFigures? {
        guard !rounds.isEmpty else { return nil }
        func middle(_ path: KeyPath<PeerFigures, Double>) -> Double {
            rounds.map { $0[keyPath: path] }.sorted()[rounds.count / 2]
        }
        return PeerFigures(
            packetsPerSecond: middle(\.packetsPerSecond), load: middle(\.load), lost: rounds.map(\.lost).max() ?? 0,
            processorPerGigabit: middle(\.processorPerGigabit), addedP50: middle(\.addedP50),
            addedP99: middle(\.addedP99))
    }

    /// The reason for which a peer is not there.
    private static func missing(_ command: String?) -> String? {
        guard let command else { return nil }
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        if (folders + ["/usr/sbin", "/sbin"]).contains(where: { access("\($0)/\(command)", X_OK) == 0 }) { return nil }
        return "\(command) is not installed; 'scripts/setup --peers' installs it"
    }

    private static var host: (kernel: String, processor: String) {
        let kernel = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? ""
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") } ?? ""
        return (
            kernel.trimmingCharacters(in: .whitespacesAndNewlines),
            line.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
        )
    }

    private func write(_ report: PeersReport) throws {
        guard let output else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        for (ending, data) in [
            (".json", try encoder.encode(report)), (".md", Data(report.markdown.utf8)),
            (".svg", Data(report.picture.utf8)),
        ] {
            try data.write(to: URL(filePath: output + ending), options: .atomic)
        }
    }
}
