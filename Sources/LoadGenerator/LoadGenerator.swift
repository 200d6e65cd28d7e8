// A traffic source that runs inside the kernel: millions of RTP packets a second from one thread.

import BPFPrograms
import CLibBPF
import CrosspointShim
public import FastPath
import Glibc
public import RTPWire

/// Sends RTP over UDP over IPv4 by live-frame test runs of a BPF program, and counts or checks what arrives.
///
/// Frames go out of one veth; sinks stand at the far ends of others. A sink that checks compares every copy's headers
/// with what its destination must get.
public final class LoadGenerator {
    /// The packets that are sent.
    public struct Plan: Hashable, Sendable {
        /// Frame length, Ethernet header to payload, bytes: 62 to 3,408.
        public var frameLength = 1442
        public var destinationMAC: MACAddress
        public var sourceMAC: MACAddress
        public var source: IPAddress
        public var destination: IPAddress
        public var sourceUDPPort: UInt16 = 5004
        /// The first flow's destination UDP port; the others have the ports after it.
        public var udpPort: UInt16 = 5004
        /// The number of flows that the packets go round: a power of two.
        public var flows = 1
        public var payloadType: UInt8 = 96
        public var ssrc: UInt32 = 0
        public var timeToLive: UInt8 = 64
        /// DSCP and ECN.
        public var trafficClass: UInt8 = 0
        /// Packets with one timestamp, and by how much the next has more.
        public var packetsPerFrame = 4320
        public var ticksPerFrame: UInt32 = 1501
        /// Of each so many packets of a flow one sequence number is left out, two change places, one repeats; 0: none.
        public var dropEvery = 0
        public var swapEvery = 0
        public var repeatEvery = 0

        public init(destinationMAC: MACAddress, sourceMAC: MACAddress, source: IPAddress, destination: IPAddress) {
            self.destinationMAC = destinationMAC
            self.sourceMAC = sourceMAC
            self.source = source
            self.destination = destination
        }
    }

    /// The program at the far end of an egress port.
    public enum Sink: String, Sendable {
        /// Counts packets and bytes.
        case count
        /// Compares every copy with its destination.
        case check
        /// Hands everything to the host, whose ordinary sockets receive.
        case pass
    }

    let loaded: LoadedObject
    let plans: MappedArray<loadgen_plan>
    let generated: MappedArray<loadgen_flow>
    let destinations: MappedArray<loadgen_destination>
    let totals: MappedArray<loadgen_total>
    private let generator: Descriptor
    private var links: [Descriptor] = []
    private var frame: [UInt8] = []

    public init() throws(FastPathError) {
        loaded = try LoadedObject(.loadgen, sizes: nil) { (_) throws(FastPathError) in nil }
        plans = try MappedArray(loaded.map("plan"), name: "plan", writable: true)
        generated = try MappedArray(loaded.map("generated"), name: "generated", writable: true)
        destinations = try MappedArray(loaded.map("destinations"), name: "destinations", writable: true)
        totals = try MappedArray(loaded.map("totals"), name: "totals", writable: true)
        generator = try loaded.program("generate")
    }

    /// Sets the interface that frames leave by.
    public func transmit(through interfaceIndex: UInt32) throws(FastPathError) {
        try setEntry("redirects", 0, interfaceIndex)
    }

    func setEntry(
        _ map: String, _ key: UInt32, _ interfaceIndex: UInt32, egress: Descriptor? = nil
    ) throws(FastPathError) {
        let entries = try loaded.map(map)
        let result = entries.use { map in
            egress?.use { crosspoint_bpf_set_devmap_entry(map, key, interfaceIndex, $0) }
                ?? crosspoint_bpf_set_devmap_entry(map, key, interfaceIndex, -1)
        }
        guard result == 0 else {
            throw FastPathError(.kernel, "generator: interface \(interfaceIndex): \(String(cString: strerror(errno)))")
        }
    }

    /// Attaches a program by name to an interface, until this object goes.
    public func attach(program: String, to interfaceIndex: UInt32) throws(FastPathError) {
        let link = try loaded.program(program).use { crosspoint_bpf_attach_xdp($0, interfaceIndex, 1 << 2) }
        guard link >= 0 else {
            throw FastPathError(
                .kernel, "\(program): interface \(interfaceIndex): \(String(cString: strerror(-link)))")
        }
        links.append(Descriptor(owning: link))
    }

    public func attach(_ sink: Sink, to interfaceIndex: UInt32) throws(FastPathError) {
        try attach(program: sink.rawValue, to: interfaceIndex)
    }

    /// Detaches everything that was attached.
    public func detachAll() {
        for link in links { _ = link.use(bpf_link_detach) }
        links.removeAll()
    }

    /// Sets what is sent, from sequence number `sequence` and timestamp 0 on.
    public func set(_ plan: Plan, sequence: UInt16 = 0) {
        precondition(plan.flows.nonzeroBitCount == 1 && plan.flows <= Int(LOADGEN_FLOWS))
        frame = Self.frame(plan)
        plans.clear(0)
        withUnsafeMutableBytes(of: &plans[0].pointee.frame) { $0.copyBytes(from: frame.prefix(64)) }
        plans[0].pointee.flow_count = UInt32(plan.flows)
        plans[0].pointee.packets_per_frame = UInt32(plan.packetsPerFrame)
        plans[0].pointee.ticks_per_frame = plan.ticksPerFrame
        plans[0].pointee.drop_every = UInt32(plan.dropEvery)
        plans[0].pointee.swap_every = UInt32(plan.swapEvery)
        plans[0].pointee.repeat_every = UInt32(plan.repeatEvery)
        for flow in 0..<plan.flows {
            generated.clear(flow)
            generated[flow].pointee.sequence = sequence
        }
    }

    /// Changes the SSRC of what is sent from now on.
    public func setSSRC(_ ssrc: UInt32) {
        withUnsafeMutableBytes(of: &plans[0].pointee.frame) {
            $0.storeBytes(of: ssrc.bigEndian, toByteOffset: 50, as: UInt32.self)
        }
    }

    /// The frame that a plan begins with.
    public static func frame(_ plan: Plan) -> [UInt8] {
        func number(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }
        let ipLength = UInt16(plan.frameLength - 14)
        var ip: [UInt8] = [0x45, plan.trafficClass] + number(ipLength) + [0, 0, 0x40, 0, plan.timeToLive, 17, 0, 0]
        ip += plan.source.bytes + plan.destination.bytes
        var sum = stride(from: 0, to: 20, by: 2).reduce(UInt32(0)) { $0 + UInt32(ip[$1]) << 8 + UInt32(ip[$1 + 1]) }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        ip.replaceSubrange(10..<12, with: number(~UInt16(sum)))
        let udp = number(plan.sourceUDPPort) + number(plan.udpPort) + number(ipLength - 20) + [0, 0]
        let rtp: [UInt8] = [0x80, plan.payloadType, 0, 0, 0, 0, 0, 0] + number(plan.ssrc)
        let head = plan.destinationMAC.bytes + plan.sourceMAC.bytes + [8, 0] + ip + udp + rtp
        return head + [UInt8](repeating: 0, count: plan.frameLength - head.count)
    }

    /// Sends `packets` packets, in NAPI bulks of `batch` (at most 256), on the calling thread's CPU.
    ///
    /// The kernel sets up and takes down a page pool for each call: calls of less than a million packets are slow.
    public func send(_ packets: Int, batch: Int = 64) throws(FastPathError) {
        let result = frame.withUnsafeBytes { bytes in
            generator.use {
                crosspoint_bpf_live_run(
                    $0, bytes.baseAddress, UInt32(bytes.count), 0, UInt32(packets), UInt32(batch))
            }
        }
        guard result == 0 else {
            throw FastPathError(.kernel, "generator: \(String(cString: strerror(-result)))")
        }
    }

    /// Packets sent since `set`.
    public var sent: UInt64 { plans[0].pointee.sent }

    /// The rate since `set`, from the generator's own clock: without what the kernel needs to begin and end a run.
    public var packetsPerSecond: Double {
        let plan = plans[0].pointee
        guard plan.last_time > plan.first_time else { return 0 }
        return Double(plan.timed) * 1e9 / Double(plan.last_time - plan.first_time)
    }

    /// Packets and bytes that the sinks have seen.
    public var received: (packets: UInt64, bytes: UInt64) {
        (0..<totals.count).reduce((0, 0)) {
            ($0.0 + totals[$1].pointee.packets, $0.1 + totals[$1].pointee.bytes)
        }
    }
}
