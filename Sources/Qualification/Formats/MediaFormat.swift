// Packets of a flow of a broadcast format on the wire.

/// The packets of one flow: their size, their rate and their RTP timestamps.
public struct MediaFormat: Hashable, Sendable {
    /// The name by which it is asked for: `2110-20-1080p59.94`.
    public var name: String
    /// The description of the format, for a person.
    public var summary: String
    /// Frame length, Ethernet header to payload, without FCS and VLAN tags, bytes.
    public var frameLength: Int
    /// Packets per second of one flow.
    public var packetRate: ExactRate
    /// Packets that share an RTP timestamp: those of a video frame or field, one of audio.
    public var packetsPerTimestamp: UInt32
    /// The RTP clock, Hz.
    public var clockRate: UInt32

    /// Bytes that a frame takes on the wire beyond its length: FCS 4, preamble and start 8, inter-frame gap 12.
    public static let wireOverhead = 24
    /// The shortest and the longest frame that can be generated: the generator's own payload, and a page of the kernel.
    public static let frameLengths = 72...3400

    public init(
        name: String, summary: String, frameLength: Int, packetRate: ExactRate, packetsPerTimestamp: UInt32 = 1,
        clockRate: UInt32 = 90_000
    ) {
        self.name = name
        self.summary = summary
        self.frameLength = frameLength
        self.packetRate = packetRate
        self.packetsPerTimestamp = packetsPerTimestamp
        self.clockRate = clockRate
    }

    /// A flow of frames of the given length that takes `wireRate` bits per second on the wire, preamble to inter-frame gap.
    public init(frameLength: Int, wireRate: UInt64) {
        self.init(
            name: "\(frameLength)-byte frames", summary: "frames of one size", frameLength: frameLength,
            packetRate: ExactRate(wireRate, UInt64(frameLength + Self.wireOverhead) * 8))
    }

    /// Bits per second on the wire, preamble to inter-frame gap.
    public var wireRate: Double { packetRate.perSecond * Double((frameLength + Self.wireOverhead) * 8) }

    /// Ticks of the RTP clock from one timestamp to the next, in 1/65536.
    var ticksPerTimestamp: UInt64 {
        let ticks = UInt64(clockRate) * UInt64(packetsPerTimestamp) * packetRate.denominator
        return (ticks << 16 + packetRate.numerator / 2) / packetRate.numerator
    }
}
