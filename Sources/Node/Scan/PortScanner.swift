// Scans of ports: one port at a time, for as many askers as there are.

public import FastPath
public import Routing
import Timing

/// Something that looks at what arrives at a port.
public protocol PortScanning: Sendable {
    /// Looks at `port` for so many seconds. Refused while another port is looked at.
    func scan(port: String, interfaceIndex: UInt32, seconds: Double, routes: @Sendable () async -> [RouteReport])
        async throws -> ScanReport
}

/// Scans ports by the samples of the ingress program.
public actor PortScanner: PortScanning {
    /// The length of a scan at most, in seconds: a querier of IGMP asks every 125 s (RFC 3376 section 8.2).
    public static let longest = 150.0

    private struct Scan {
        var port: String
        var interfaceIndex: UInt32
        /// When the last asker has seen enough (CLOCK_MONOTONIC, nanoseconds).
        var end: Deadline
    }

    private var sampler: PortSampler
    private var current: Scan?
    /// The tables of those who ask, by number.
    private var tables: [Int: ScanTable] = [:]
    private var askers = 0

    public init(sampler: PortSampler) {
        self.sampler = sampler
        // What a daemon that was killed has begun.
        self.sampler.end()
    }

    public func scan(
        port: String, interfaceIndex: UInt32, seconds: Double, routes: @Sendable () async -> [RouteReport]
    ) async throws -> ScanReport {
        let began = SystemClock.monotonicNanoseconds
        let end = Deadline(UInt64(seconds * 1e9), after: began)
        if let current, current.interfaceIndex != interfaceIndex {
            let rest = current.end.remaining(at: began) / 1_000_000_000 + 1
            throw RoutingError(
                .conflict,
                "port \(current.port) is being scanned for another \(rest) s, and one port is scanned at a time; try again then"
            )
        }
        if current == nil {
            sampler.begin(
                interfaceIndex: interfaceIndex, deadline: began.addingSaturating(PortSampler.patience))
            current = Scan(port: port, interfaceIndex: interfaceIndex, end: end)
        } else if let known = current?.end, known < end {
            current?.end = end
        }
        askers += 1
        let asker = askers
        tables[asker] = ScanTable()
        defer { leave(asker) }
        while !end.hasPassed(at: SystemClock.monotonicNanoseconds) {
            try await Task.sleep(for: .milliseconds(20))
            collect()
        }
        let table = tables[asker] ?? ScanTable()
        let took = SystemClock.monotonicNanoseconds.subtractingSaturating(began)
        return ScanReport(port: port, seconds: Double(took) / 1e9, table: table, routes: await routes())
    }

    /// Takes the samples since the last time, for everybody who asks.
    private func collect() {
        let deadline = SystemClock.monotonicNanoseconds.addingSaturating(PortSampler.patience)
        sampler.collect(deadline: deadline) { sample in
            for asker in tables.keys { tables[asker]?.add(sample) }
        }
    }

    private func leave(_ asker: Int) {
        tables[asker] = nil
        guard tables.isEmpty else { return }
        sampler.end()
        current = nil
    }
}
