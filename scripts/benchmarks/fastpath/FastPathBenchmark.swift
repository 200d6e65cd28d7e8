// Measures the fast path against a program that only redirects and against the kernel's own NAT.

import ArgumentParser
import BPFPrograms
import FastPath
import Foundation
import Glibc

/// A figure that must be reached: one case's rate as a part of another's.
struct Target: Encodable {
    var name: String
    var reached: Double
    var required: Double
    var isMet: Bool
    /// The same of each turn.
    var rounds: [Double]
}

/// The measured values, as JSON has them.
struct Report: Encodable {
    struct Result: Encodable {
        var millionPacketsPerSecond: Double
        /// The same of each turn.
        var rounds: [Double]
        var legs: Int
        var gigabitsPerSecond: Double
        var nanosecondsPerPacket: Double

        init(rounds: [Double], legs: Int) {
            self.rounds = rounds
            self.legs = legs
            millionPacketsPerSecond = rounds.sorted()[rounds.count / 2]
            gigabitsPerSecond = millionPacketsPerSecond * Double(Report.frameBytes * 8 * legs) / 1000
            nanosecondsPerPacket = 1000 / millionPacketsPerSecond
        }
    }

    static let frameBytes = 1442
    var frameBytes = Report.frameBytes
    var results: [String: Result] = [:]
    var targets: [Target] = []
    var programNanoseconds: [String: Double] = [:]
    var voidRuns: [String] = []
}

/// `scripts/bench fastpath`.
struct FastPathBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fastpath",
        abstract: "Measure the fast path on one core, in a network namespace of its own.",
        discussion: """
            All cases take turns, four times in every round, which begins with tables made anew; figures are medians \
            of the turns, in millions of packets per second \
            at 1442-byte frames, counted at the sinks. A turn in which any copy is missing is void. Exit code 3: a \
            required figure was missed; 1: it could not be measured.
            """)

    @Option(help: "Write the results to this file.") var json: String?
    @Option(help: "Rounds.") var rounds = 13
    @Option(help: "The CPU that everything runs on.") var cpu = 1
    @Flag(help: "Three rounds, 1:1 only.") var quick = false
    @Option(help: "Measure only this case and what it is compared with.") var only: [String] = []
    @Option(help: "Measure this compiled object too, in the same rounds as the built one; no figure is required of it.")
    var program: [String] = []

    /// The number of times that the cases take turns in a round: a shared machine's pace changes within seconds.
    private static let turns = 4

    /// A fast path to measure; the name distinguishes its results from those of the built one, which has none.
    private struct Program {
        var name: String?
        var object: BPFObject

        func label(_ what: String) -> String { name.map { "\(what)@\($0)" } ?? what }
    }

    private func programs() throws -> [Program] {
        let names = program.map { URL(fileURLWithPath: $0).lastPathComponent }
        guard Set(names).count == names.count else {
            throw ValidationError("--program: two objects of one name would have one result; give each another name")
        }
        return try [Program(object: .crosspoint)]
            + program.map { path in
                let file = URL(fileURLWithPath: path)
                let name = file.deletingPathExtension().lastPathComponent
                return Program(
                    name: name,
                    object: BPFObject(.crosspoint, version: name, bytes: [UInt8](try Data(contentsOf: file))))
            }
    }

    func run() throws {
        let pins = try Benchmarks.prepare(cpu: cpu)
        defer { pins.removeAll() }
        let bench = try Bench(pins: pins)
        let cases = Case.all.filter {
            quick ? [.bare, .forward].contains($0) : only.isEmpty || only.contains($0.name)
        }
        let programs = try programs()
        var measured: [String: [Double]] = [:]
        var report = Report()
        var isMet = true
        for round in 1...(quick ? 3 : rounds) {
            for program in programs {
                try bench.renewTables(program.object)
                for _ in 1...Self.turns {
                    for what in cases {
                        let rate = try bench.rate(of: what, packets: what.packets / Self.turns) {
                            report.voidRuns.append($0.description)
                        }
                        measured[program.label(what.name), default: []].append(rate)
                    }
                }
            }
            if isatty(2) == 1 { FileHandle.standardError.write(Data("round \(round) done\r".utf8)) }
        }
        for program in programs {
            try bench.renewTables(program.object)
            for what in cases {
                let name = program.label(what.name)
                report.results[name] = Report.Result(rounds: measured[name] ?? [], legs: what.legs)
                if what.parameters != nil, what.legs == 1, what.flows == 1 {
                    report.programNanoseconds[name] = try bench.programCost(what)
                }
            }
            let targets = targets(in: report, of: program)
            if program.name == nil { isMet = targets.allSatisfy(\.isMet) }
            report.targets += targets
        }
        try show(report, of: programs)
        if !isMet { throw ExitCode(3) }
    }

    private func targets(in report: Report, of program: Program) -> [Target] {
        let required: [(String, String, Double)] = [
            ("forward", "bare", 0.70), ("forward_sampled", "bare", 0.82), ("forward_counters", "bare", 0.87),
            ("fanout_8", "fanout_bare_8", 0.90), ("forward_4096", "forward", 0.88),
        ]
        return required.compactMap { name, base, figure in
            guard let result = report.results[program.label(name)], let reference = report.results[program.label(base)]
            else { return nil }
            // Ratios of the same turn, then their median: the machine's own pace cancels out.
            let ratios = zip(result.rounds, reference.rounds).map { $0 / $1 }
            let ratio = ratios.sorted()[ratios.count / 2]
            return Target(
                name: program.label("\(name) / \(base)"), reached: ratio, required: figure, isMet: ratio >= figure,
                rounds: ratios)
        }
    }

    private func show(_ report: Report, of programs: [Program]) throws {
        func pad(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
        let names = programs.flatMap { program in Case.all.map { program.label($0.name) } }
        let width = (names.filter { report.results[$0] != nil }.map(\.count).max() ?? 0) + 2
        for name in names {
            guard let result = report.results[name] else { continue }
            let cost = report.programNanoseconds[name].map { ", program \(number($0, 0)) ns" } ?? ""
            print(
                pad(name, width) + pad("\(number(result.millionPacketsPerSecond, 2)) Mpps", 12)
                    + "\(number(result.gigabitsPerSecond, 1)) Gb/s sent" + cost)
        }
        let targetWidth = (report.targets.map(\.name.count).max() ?? 0) + 2
        for target in report.targets {
            print(
                pad(target.name, targetWidth) + "\(number(target.reached, 3)), required \(number(target.required, 2)): "
                    + (target.isMet ? "met" : "MISSED"))
        }
        for void in report.voidRuns { print("void: \(void)") }
        if let json { try Benchmarks.write(report, to: json) }
    }
}
