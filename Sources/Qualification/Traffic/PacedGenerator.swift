// A traffic source inside the kernel that keeps a pace, and the sinks at the other end.

import BPFPrograms
import CLibBPF
import CrosspointShim
public import FastPath
import Glibc

/// Sends what a plan says, and counts what arrives. Used by one thread at a time.
public final class PacedGenerator: @unchecked Sendable {
    /// The program at the place where copies arrive.
    public enum Sink: String, Sendable {
        /// Counts.
        case count
        /// Counts, and measures the latency of stamped packets.
        case measure
    }

    private let loaded: LoadedObject
    private let plans: MappedArray<bench_plan>
    private let generated: MappedArray<bench_flow>
    private let arrivals: MappedArray<bench_arrival>
    private let totals: MappedArray<bench_total>
    private let generator: Descriptor
    private var links: [UInt32: Descriptor] = [:]

    /// The most flows of a plan.
    public static let maximumFlows = Int(BENCH_FLOWS)

    public init() throws(FastPathError) {
        loaded = try LoadedObject(.bench, sizes: nil) { (_) throws(FastPathError) in nil }
        plans = try MappedArray(loaded.map("plan"), name: "plan", writable: true)
        generated = try MappedArray(loaded.map("generated"), name: "generated", writable: true)
        arrivals = try MappedArray(loaded.map("arrivals"), name: "arrivals", writable: true)
        totals = try MappedArray(loaded.map("totals"), name: "totals", writable: true)
        generator = try loaded.program("generate")
    }

    /// Sets the interface that frames leave by.
    public func transmit(through interfaceIndex: UInt32) throws(FastPathError) {
        let result = try loaded.map("outlet").use { crosspoint_bpf_set_devmap_entry($0, 0, interfaceIndex, -1) }
        guard result == 0 else {
            throw FastPathError(.kernel, "generator: interface \(interfaceIndex): \(errorText(errno))")
        }
    }

    /// Puts a sink on an interface, in place of the one that was there.
    public func attach(_ sink: Sink, to interfaceIndex: UInt32) throws(FastPathError) {
        let program = try loaded.program(sink.rawValue)
        if let link = links[interfaceIndex] {
            guard link.use({ link in program.use { bpf_link_update(link, $0, nil) } }) == 0 else {
                throw FastPathError(.kernel, "sink: interface \(interfaceIndex): \(errorText(errno))")
            }
            return
        }
        let native: UInt32 = 1 << 2
        let link = program.use { crosspoint_bpf_attach_xdp($0, interfaceIndex, native) }
        guard link >= 0 else {
            throw FastPathError(
                .port,
                "interface \(interfaceIndex): no sink can be attached (\(errorText(link))): is another XDP program on it, or "
                    + "has its driver no native XDP?")
        }
        links[interfaceIndex] = Descriptor(owning: link)
    }

    /// Takes the sink away from an interface.
    public func detach(from interfaceIndex: UInt32) {
        _ = links.removeValue(forKey: interfaceIndex)?.use(bpf_link_detach)
    }

    /// Carries out a plan, on the calling thread's processor, and waits until nothing more arrives.
    ///
    /// - Parameter settle: For how long nothing must arrive before the trial is over, milliseconds: who forwards in programs may
    ///   hold packets back.
    public func run(_ plan: TrafficPlan, settle: Int = 2) throws(FastPathError) -> TrialResult {
        precondition(plan.flows >= 1 && plan.flows <= Self.maximumFlows, "\(plan.flows) flows")
        precondition(MediaFormat.frameLengths.contains(plan.format.frameLength), "frames of \(plan.format.frameLength)")
        let record = plan.record
        let frame = plan.frame
        plans[0].pointee = record
        for flow in 0..<plan.flows {
            generated.clear(flow)
            arrivals.clear(flow)
        }
        for index in 0..<totals.count where totals[index].pointee.packets > 0 { totals.clear(index) }
        let before = ProcessorTimes.read()
        let result = frame.withUnsafeBytes { bytes in
            generator.use {
                crosspoint_bpf_live_run_for(
                    $0, bytes.baseAddress, UInt32(bytes.count), UInt32(plan.batch), record.duration + 60_000_000)
            }
        }
        let after = ProcessorTimes.read()
        guard result == 0 else { throw FastPathError(.kernel, "generator: \(errorText(result))") }
        waitUntilQuiet(milliseconds: settle)
        return self.result(plan, before, after)
    }

    /// Packets that have arrived.
    private var arrived: UInt64 { (0..<totals.count).reduce(0) { $0 + totals[$1].pointee.packets } }

    private func waitUntilQuiet(milliseconds: Int) {
        var last = arrived
        var quiet = 0
        for _ in 0..<1000 where quiet < milliseconds {
            usleep(1000)
            let now = arrived
            quiet = now == last ? quiet + 1 : 0
            last = now
        }
    }

    private func result(
        _ plan: TrafficPlan, _ before: [ProcessorTimes.Reading], _ after: [ProcessorTimes.Reading]
    ) -> TrialResult {
        let record = plans[0].pointee
        let elapsed = Double(record.last_time &- record.start)
        var latency = LatencyHistogram()
        for index in 0..<totals.count where totals[index].pointee.stamped > 0 {
            let total = totals[index]
            latency.add(largest: total.pointee.largest, sum: total.pointee.sum)
            withUnsafeBytes(of: &total.pointee.buckets) { bytes in
                for (bucket, count) in bytes.bindMemory(to: UInt64.self).enumerated() {
                    latency.add(count, inBucket: bucket)
                }
            }
        }
        let jitters = (0..<plan.flows).map { arrivals[$0].pointee }.filter { $0.packets > 1 }.map {
            Double($0.jitter) / 16
        }
        return TrialResult(
            planned: plan.isFlatOut ? record.sent : plan.packets, sent: record.sent, arrived: arrived,
            seconds: elapsed / 1e9, idle: elapsed > 0 ? min(1, Double(record.idle) / elapsed) : 0,
            largestDelay: record.largest_delay,
            processors: ProcessorTimes.between(before, after, seconds: elapsed / 1e9), latency: latency,
            jitter: jitters.isEmpty ? 0 : jitters.reduce(0, +) / Double(jitters.count))
    }
}
