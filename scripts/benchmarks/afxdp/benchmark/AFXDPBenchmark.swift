// Measures the AF_XDP engine against a worker of the same shape in C, and against the kernel engine.

import ArgumentParser
import CrosspointShim
import FastPath
import Foundation
import Glibc
import SRTPKeys

/// A figure that must be reached.
struct Target: Encodable {
    var name: String
    var reached: Double
    var required: Double
    var isMet: Bool
}

/// The measured values, as JSON has them.
struct Report: Encodable {
    struct Rate: Encodable {
        /// Copies that arrived at the sinks.
        var millionCopiesPerSecond: Double
        var gigabitsPerSecond: Double
        var rounds: [Double]
    }

    struct Cost: Encodable {
        /// Of a packet with all its copies, in the worker's own code, without the kernel.
        var nanosecondsPerPacket: Double
        /// The same in instructions; nil where they are not counted.
        var instructionsPerPacket: Double?
        var rounds: [Double]
    }

    var frameBytes = 1442
    var rates: [String: Rate] = [:]
    var costs: [String: Cost] = [:]
    var targets: [Target] = []
}

@main
struct AFXDPBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "afxdp-benchmark",
        abstract: "Measure the AF_XDP engine in a network namespace of its own.",
        discussion: """
            The worker runs on one CPU, the generator on another. Frames of 1442 bytes by veth, in copy mode; more come than a worker \
            can take, and what it sends is counted at the sinks. Exit code 3: a required figure was missed.
            """,
        subcommands: [Measure.self, Synthetic.self], defaultSubcommand: Measure.self)

    struct Measure: ParsableCommand {
        @Option(help: "Write the results to this file.") var json: String?
        @Option(help: "Rounds.") var rounds = 7
        @Flag(help: "Fewer and shorter rounds.") var quick = false

        func run() throws {
            guard geteuid() == 0 else {
                throw ValidationError("needs root: it makes a network namespace and loads BPF programs")
            }
            guard crosspoint_new_network_namespace() == 0 else {
                throw ValidationError("no network namespace of its own: \(String(cString: strerror(errno)))")
            }
            let rounds = quick ? 3 : rounds
            var report = Report()
            try measureCosts(&report, rounds: rounds)
            try measureEncryption(&report, rounds: rounds)
            try measureRates(&report, rounds: rounds)
            show(report)
            if let json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
                encoder.keyEncodingStrategy = .convertToSnakeCase
                try encoder.encode(report).write(to: URL(fileURLWithPath: json))
            }
            if report.targets.contains(where: { !$0.isMet }) { throw ExitCode(3) }
        }

        /// A leg that encrypts by AES-128-GCM, beside the library in a bare loop on the same packets.
        private func measureEncryption(_ report: inout Report, rounds: Int) throws {
            let key = try SRTPKey(.aeadAES128GCM, masterKey: Array(0..<16), masterSalt: Array(0..<12))
            // Short turns, many of them: both see the machine in the same state.
            let (packets, rounds) = (20_000, rounds * 5)
            var (worker, library): ([Double], [Double]) = ([], [])
            for _ in 0..<rounds {
                worker.append(
                    try SyntheticRun(language: .swift, legs: 1, key: key).nanosecondsPerPacket(packets: packets))
                library.append(try SyntheticRun.libraryNanosecondsPerPacket(key, packets: packets))
            }
            for (name, rounds) in [("srtp_1", worker), ("libsrtp", library)] {
                report.costs[name] = Report.Cost(
                    nanosecondsPerPacket: rounds.sorted()[rounds.count / 2], instructionsPerPacket: nil, rounds: rounds)
            }
            let ratio = zip(library, worker).map { $0 / $1 }.sorted()[rounds / 2]
            report.targets.append(
                Target(name: "srtp_1 / libsrtp", reached: ratio, required: 0.9, isMet: ratio >= 0.9))
        }

        private func measureCosts(_ report: inout Report, rounds: Int) throws {
            let instructions = try Instructions()
            for legs in [1, 8, 64] {
                var measured: [Language: [Double]] = [:]
                for _ in 0..<rounds {
                    for language in Language.allCases {
                        let run = try SyntheticRun(language: language, legs: legs)
                        measured[language, default: []].append(run.nanosecondsPerPacket(packets: 200_000 / legs))
                    }
                }
                for language in Language.allCases {
                    let rounds = measured[language] ?? []
                    report.costs["\(language.rawValue)_\(legs)"] = Report.Cost(
                        nanosecondsPerPacket: rounds.sorted()[rounds.count / 2],
                        instructionsPerPacket: try instructions.perPacket(language, legs: legs), rounds: rounds)
                }
            }
        }

        private func measureRates(_ report: inout Report, rounds: Int) throws {
            let pins = PinDirectory(path: "/sys/fs/bpf/crosspoint-benchmark-\(getpid())")
            defer { pins.removeAll() }
            let bench = try Bench(pins: pins)
            var measured: [String: [Double]] = [:]
            for _ in 0..<rounds {
                for legs in [1, 8, 64] {
                    for carrier in Carrier.allCases where carrier != .c || legs == 1 {
                        let rate = try bench.copiesPerSecond(carrier, legs: legs, isQuick: quick)
                        measured["\(carrier.rawValue)_\(legs)", default: []].append(rate / 1e6)
                    }
                }
            }
            for (name, rounds) in measured {
                let median = rounds.sorted()[rounds.count / 2]
                report.rates[name] = Report.Rate(
                    millionCopiesPerSecond: median, gigabitsPerSecond: median * Double(report.frameBytes * 8) / 1000,
                    rounds: rounds)
            }
            guard let swift = measured["afxdp_1"], let c = measured["c_1"] else { return }
            // Ratios of the same round, then their median: the machine's own pace cancels out.
            let ratios = zip(swift, c).map { $0 / $1 }.sorted()
            let ratio = ratios[ratios.count / 2]
            report.targets.append(Target(name: "afxdp_1 / c_1", reached: ratio, required: 0.95, isMet: ratio >= 0.95))
        }

        private func show(_ report: Report) {
            func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
            print("worker's own code, per packet with all its copies:")
            for (name, cost) in report.costs.sorted(by: { $0.key < $1.key }) {
                let instructions = cost.instructionsPerPacket.map { ", \(number($0, 0)) instructions" } ?? ""
                print("  \(name): \(number(cost.nanosecondsPerPacket, 1)) ns\(instructions)")
            }
            print("by veth, \(report.frameBytes)-byte frames:")
            for (name, rate) in report.rates.sorted(by: { $0.key < $1.key }) {
                print(
                    "  \(name): \(number(rate.millionCopiesPerSecond, 3)) million copies/s, "
                        + "\(number(rate.gigabitsPerSecond, 2)) Gb/s")
            }
            for target in report.targets {
                print(
                    "\(target.name): \(number(target.reached, 3)), required \(number(target.required, 2)): "
                        + (target.isMet ? "reached" : "missed"))
            }
        }
    }

    /// The loop alone, for a profiler that counts instructions.
    struct Synthetic: ParsableCommand {
        static let configuration = CommandConfiguration(shouldDisplay: false)
        @Option var language: Language
        @Option var legs: Int
        @Option var packets: Int
        @Flag var encrypted = false

        func run() throws {
            let key = try SRTPKey(.aeadAES128GCM, masterKey: Array(0..<16), masterSalt: Array(0..<12))
            let run = try SyntheticRun(language: language, legs: legs, key: encrypted ? key : nil)
            _ = run.nanosecondsPerPacket(packets: packets)
        }
    }
}

/// The language whose loop runs over rings in plain memory.
enum Language: String, CaseIterable, ExpressibleByArgument {
    case swift, c
}

/// The carrier that sends the copies.
enum Carrier: String, CaseIterable {
    /// The kernel engine.
    case kernel
    /// The AF_XDP engine.
    case afxdp
    /// The worker in C.
    case c
}
