// Available measurements, and their common beginning and end.

import ArgumentParser
import CrosspointShim
import FastPath
import Foundation
import Glibc

@main
struct Benchmarks: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fastpath-benchmark",
        abstract: "Measure the fast path on one core, in a network namespace of its own.",
        subcommands: [FastPathBenchmark.self, ScaleBenchmark.self])

    /// Moves the process to a network namespace of its own and to one CPU; where it can pin.
    static func prepare(cpu: Int) throws -> PinDirectory {
        guard geteuid() == 0 else {
            throw ValidationError("needs root: it makes a network namespace and loads BPF programs")
        }
        guard crosspoint_new_network_namespace() == 0, crosspoint_pin_to_cpu(UInt32(cpu)) == 0 else {
            throw ValidationError(
                "no network namespace of its own, or no CPU \(cpu): \(String(cString: strerror(errno)))")
        }
        return PinDirectory(path: "/sys/fs/bpf/crosspoint-benchmark-\(getpid())")
    }

    static func write(_ report: some Encodable, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(report).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
