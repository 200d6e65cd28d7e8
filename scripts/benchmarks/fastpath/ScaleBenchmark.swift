// Cost of a packet with many flows or many legs, and cost of a flow.

import ArgumentParser
import FastPath
import Foundation
import Glibc

/// The measured values, as JSON has them.
struct ScaleReport: Encodable {
    /// The cost of installing flows with one leg each, and of removing them.
    struct Change: Encodable {
        var flows: Int
        var installMicrosecondsPerFlow: Double
        var removeMicrosecondsPerFlow: Double
    }

    /// The memory of the tables, bytes.
    struct Memory: Encodable {
        /// The tables of the largest node measured here, and how many flows and legs they are for.
        var tables: Int
        var flows: Int
        var legs: Int
        /// The growth of the tables for each flow more, and for each leg more.
        var kernelPerFlow: Double
        var kernelPerLeg: Double
        /// The growth of the process that writes them for each installed flow with its leg.
        var writerPerFlow: Double
    }

    var results: [String: Report.Result] = [:]
    var changes: [Change] = []
    var memory: Memory?
    /// The cost of a packet with the most flows against the cost with one, and what it may be.
    var mostFlowsAgainstOne = 0.0
    var allowed = 1.3
    var voidRuns: [String] = []
}

/// `scripts/bench scale`.
struct ScaleBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract: "Measure the cost per packet against the number of flows and of legs, on one core.")

    static let flows = [1, 16, 256, 1024, 4096, 16_384, 65_536]
    /// The same with flows that are made in another order than their packets come in.
    static let scattered = [4096, 65_536]
    static let legs = [1, 2, 4, 8, 16, 32, 64]

    @Option(help: "Write the results to this file.") var json: String?
    @Option(help: "Rounds.") var rounds = 5
    @Option(help: "The CPU that everything runs on.") var cpu = 1
    @Flag(help: "One round.") var quick = false

    func run() throws {
        let pins = try Benchmarks.prepare(cpu: cpu)
        defer { pins.removeAll() }
        var report = ScaleReport()
        var memory = try Self.kernelMemory()
        let bench = try Bench(pins: pins, limits: FastPath.Limits(flows: 65_536, legs: 131_072))
        var cases = Self.flows.map { (name: "flows_\($0)", what: $0 == 1 ? Case.forward : .forwardMany($0)) }
        cases += Self.scattered.map { (name: "scattered_\($0)", what: Case.forwardScattered($0)) }
        cases += Self.legs.map { (name: "legs_\($0)", what: $0 == 1 ? Case.forward : .fanout($0)) }
        var measured: [String: [Double]] = [:]
        var changes: [Int: [ScaleReport.Change]] = [:]
        let before = try Self.residentBytes()
        var largest = before
        for round in 1...(quick ? 1 : rounds) {
            if round > 1 { try bench.renewTables() }
            for (name, what) in cases {
                let rate = try bench.rate(of: what, packets: quick ? what.packets / 2 : what.packets) {
                    report.voidRuns.append($0.description)
                }
                measured[name, default: []].append(rate)
                guard name.hasPrefix("flows_") else { continue }
                func microseconds(_ duration: Duration) -> Double { duration / .microseconds(1) / Double(what.flows) }
                changes[what.flows, default: []].append(
                    .init(
                        flows: what.flows, installMicrosecondsPerFlow: microseconds(bench.installation),
                        removeMicrosecondsPerFlow: microseconds(bench.removal)))
                if round == 1 { largest = max(largest, try Self.residentBytes()) }
            }
            if isatty(2) == 1 { FileHandle.standardError.write(Data("round \(round) done\r".utf8)) }
        }
        for (name, what) in cases {
            report.results[name] = Report.Result(rounds: measured[name] ?? [], legs: what.legs)
        }
        for flows in Self.flows {
            let all = changes[flows] ?? []
            func median(_ value: (ScaleReport.Change) -> Double) -> Double { all.map(value).sorted()[all.count / 2] }
            report.changes.append(
                .init(
                    flows: flows, installMicrosecondsPerFlow: median(\.installMicrosecondsPerFlow),
                    removeMicrosecondsPerFlow: median(\.removeMicrosecondsPerFlow)))
        }
        memory.writerPerFlow = Double(largest - before) / Double(Self.flows.max() ?? 1)
        report.memory = memory
        let (one, most) = (Self.flows.first ?? 1, Self.flows.last ?? 1)
        // Ratios of the same round, then their median: the machine's own pace cancels out.
        let ratios = zip(measured["flows_\(one)"] ?? [], measured["flows_\(most)"] ?? []).map { $0 / $1 }.sorted()
        report.mostFlowsAgainstOne = ratios[ratios.count / 2]
        show(report)
        if let json { try Benchmarks.write(report, to: json) }
        if report.mostFlowsAgainstOne > report.allowed { throw ExitCode(3) }
    }

    /// Makes tables of three sizes and asks the kernel what it holds.
    private static func kernelMemory() throws -> ScaleReport.Memory {
        func tables(_ flows: Int, _ legs: Int) throws -> Int {
            let pins = PinDirectory(path: "/sys/fs/bpf/crosspoint-benchmark-\(getpid())-memory")
            defer { pins.removeAll() }
            let fastPath = try FastPath(pins: pins, name: "memory", limits: .init(flows: flows, legs: legs))
            return try withExtendedLifetime(fastPath) { try mapBytes() }
        }
        let large = try tables(65_536, 131_072)
        return ScaleReport.Memory(
            tables: large, flows: 65_536, legs: 131_072,
            kernelPerFlow: Double(large - (try tables(32_768, 131_072))) / 32_768,
            kernelPerLeg: Double(large - (try tables(65_536, 65_536))) / 65_536, writerPerFlow: 0)
    }

    /// The memory that the kernel holds for the maps that this process has open.
    private static func mapBytes() throws -> Int {
        var bytes: [String: Int] = [:]
        for descriptor in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fdinfo") {
            // The folder's own descriptor is gone by now.
            guard let text = try? String(contentsOfFile: "/proc/self/fdinfo/\(descriptor)", encoding: .utf8) else {
                continue
            }
            var fields: [Substring: Substring] = [:]
            for line in text.split(separator: "\n") {
                let parts = line.split(separator: "\t")
                if parts.count == 2 { fields[parts[0]] = parts[1] }
            }
            // Several descriptors may be of one map.
            guard let identifier = fields["map_id:"], let size = fields["memlock:"].flatMap({ Int($0) }) else {
                continue
            }
            bytes[String(identifier)] = size
        }
        return bytes.values.reduce(0, +)
    }

    /// The memory that the process holds of its own, without the tables that are mapped.
    private static func residentBytes() throws -> Int {
        let words = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ").compactMap {
            Int($0)
        }
        guard words.count > 2 else { throw ValidationError("/proc/self/statm: not as expected") }
        return (words[1] - words[2]) * Int(getpagesize())
    }

    private func show(_ report: ScaleReport) {
        func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
        func line(_ name: String, _ value: Double, of most: Double, _ text: String) {
            let bar = String(repeating: "#", count: max(1, Int(value / most * 40)))
            let label = name + String(repeating: " ", count: max(0, 16 - name.count))
            print(label + text + String(repeating: " ", count: max(1, 34 - text.count)) + bar)
        }
        for (title, names) in [
            ("Cost of a packet, flows of one leg each", Self.flows.map { "flows_\($0)" }),
            (
                "Cost of a packet, flows made in another order than their packets come in",
                Self.scattered.map { "scattered_\($0)" }
            ),
            ("Cost of a packet for each of its copies, one flow", Self.legs.map { "legs_\($0)" }),
        ] {
            print(title)
            let values = names.compactMap { name in
                report.results[name].map { (name, $0, $0.nanosecondsPerPacket / Double($0.legs)) }
            }
            let most = values.map(\.2).max() ?? 1
            for (name, result, value) in values {
                line(
                    name, value, of: most,
                    "\(number(value, 0)) ns, \(number(result.millionPacketsPerSecond * Double(result.legs), 2)) Mpps sent"
                )
            }
        }
        print("Flows installed and removed with their leg, each")
        for change in report.changes {
            print(
                "flows_\(change.flows)  \(number(change.installMicrosecondsPerFlow, 1)) us, "
                    + "\(number(change.removeMicrosecondsPerFlow, 1)) us")
        }
        if let memory = report.memory {
            print(
                "Memory: \(number(memory.kernelPerFlow, 0)) bytes a flow and \(number(memory.kernelPerLeg, 0)) bytes a leg in "
                    + "the kernel's tables, \(number(memory.writerPerFlow, 0)) bytes a flow in the process that writes them"
            )
        }
        print(
            "A packet costs \(number(report.mostFlowsAgainstOne, 2)) times as much with \(Self.flows.last ?? 1) flows as with "
                + "one, allowed \(number(report.allowed, 1)): "
                + (report.mostFlowsAgainstOne <= report.allowed ? "met" : "MISSED"))
        for void in report.voidRuns { print("void: \(void)") }
    }
}
