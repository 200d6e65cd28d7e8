// Packets that a trial sends.

import CrosspointShim
public import RTPWire

/// The flows of one trial, in turn, at their pace.
public struct TrafficPlan: Hashable, Sendable {
    public var format: MediaFormat
    /// The number of flows; flow n goes to `destination` + n.
    public var flows: Int
    /// For how long, seconds.
    public var seconds: Double
    /// Packets of one look at the clock. Few: packets leave as soon as they are due. More: the clock costs less, and so many
    /// packets, each of another flow if there are as many, leave together.
    public var quantum = 1
    /// Frames that the kernel handles at once, 1 to 256.
    public var batch = 64
    /// True if packets carry the time at which they leave.
    public var isStamped = false
    /// True if packets leave one after the other without any pace, for `seconds`.
    public var isFlatOut = false
    public var destinationMAC: MACAddress
    public var sourceMAC: MACAddress
    public var source: IPAddress
    /// The first flow's; ends with sixteen zero bits where there are more.
    public var destination: IPAddress
    public var udpPort: UInt16 = 5004

    public init(
        format: MediaFormat, flows: Int, seconds: Double, destinationMAC: MACAddress, sourceMAC: MACAddress,
        source: IPAddress, destination: IPAddress
    ) {
        self.format = format
        self.flows = flows
        self.seconds = seconds
        self.destinationMAC = destinationMAC
        self.sourceMAC = sourceMAC
        self.source = source
        self.destination = destination
    }

    /// Packets per second of all flows.
    public var packetRate: ExactRate { format.packetRate * UInt64(flows) }

    /// Packets in all: whole quanta.
    public var packets: UInt64 {
        if isFlatOut { return .max }
        let quantum = UInt64(quantum)
        return max(1, UInt64(packetRate.perSecond * seconds) / quantum) * quantum
    }

    /// The frame that all begin with: Ethernet, IPv4, UDP without checksum, RTP, the bench's own number, zeros.
    var frame: [UInt8] {
        func number(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }
        let ipLength = UInt16(format.frameLength - 14)
        var frame = destinationMAC.bytes + sourceMAC.bytes + [8, 0]
        frame += [0x45, 0] + number(ipLength) + [0, 0, 0x40, 0, 64, 17, 0, 0] + source.bytes + destination.bytes
        frame += number(udpPort) + number(udpPort) + number(ipLength - 20) + [0, 0]
        frame += [0x80, 96] + [UInt8](repeating: 0, count: 10)
        // In the host's order, as the sinks compare it.
        frame += withUnsafeBytes(of: UInt32(BENCH_MAGIC), Array.init)
        return frame + [UInt8](repeating: 0, count: max(0, format.frameLength - frame.count))
    }

    /// The generator's record.
    var record: bench_plan {
        let frame = frame
        var record = bench_plan()
        withUnsafeMutableBytes(of: &record.frame) { $0.copyBytes(from: frame.prefix($0.count)) }
        record.interval = isFlatOut ? 0 : packetRate.interval
        record.limit = packets
        record.duration = UInt64(seconds * 1e9 * (isFlatOut ? 1 : 1 + Self.tolerance)) + (isFlatOut ? 0 : Self.grace)
        record.ticks_per_frame = format.ticksPerTimestamp
        record.packets_per_frame = format.packetsPerTimestamp
        record.flow_count = UInt32(flows)
        record.address_sum = stride(from: 14, to: 34, by: 2).reduce(0) {
            $0 + UInt32(frame[$1]) << 8 + UInt32(frame[$1 + 1])
        }
        record.quantum = UInt32(quantum)
        record.is_stamped = isStamped ? 1 : 0
        return record
    }

    /// The time beyond the plan that the generator may need: one that needs more did not keep the pace. The second, in
    /// nanoseconds, is for whoever else wants the processor just at the end.
    static let tolerance = 0.01
    static let grace: UInt64 = 5_000_000
}
