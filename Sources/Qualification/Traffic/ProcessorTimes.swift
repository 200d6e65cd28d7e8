// Work of processors, as /proc/stat reports it.

import FoundationEssentials
import Glibc

/// The use of one processor's time, in parts of a second for each second.
public struct ProcessorTimes: Hashable, Sendable, Codable {
    /// Programs.
    public var user: Double
    /// System calls.
    public var system: Double
    /// Interrupts and what follows them: received packets, above all.
    public var softirq: Double

    /// The part that is not idle.
    public var busy: Double { user + system + softirq }

    /// Counters of one processor, in the kernel's ticks.
    struct Reading: Hashable {
        var user: UInt64
        var system: UInt64
        var softirq: UInt64
    }

    /// Reads the counters of all processors.
    static func read() -> [Reading] {
        guard let data = FileManager.default.contents(atPath: "/proc/stat") else { return [] }
        return parse(String(decoding: data, as: UTF8.self))
    }

    /// The processors in the text of /proc/stat: `cpuN user nice system idle iowait irq softirq steal …`.
    static func parse(_ text: String) -> [Reading] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 9, words[0].hasPrefix("cpu"), words[0].count > 3 else { return nil }
            let ticks = words.dropFirst().prefix(8).compactMap { UInt64($0) }
            guard ticks.count == 8 else { return nil }
            return Reading(user: ticks[0] + ticks[1], system: ticks[2], softirq: ticks[5] + ticks[6])
        }
    }

    /// The work between two readings, in parts of the given time, which began after the first and ended before the second.
    static func between(_ before: [Reading], _ after: [Reading], seconds: Double) -> [ProcessorTimes] {
        let ticks = seconds * Double(sysconf(CInt(_SC_CLK_TCK)))
        guard ticks > 0 else { return [] }
        return zip(before, after).map { before, after in
            ProcessorTimes(
                user: Double(after.user - before.user) / ticks, system: Double(after.system - before.system) / ticks,
                softirq: Double(after.softirq - before.softirq) / ticks)
        }
    }
}
