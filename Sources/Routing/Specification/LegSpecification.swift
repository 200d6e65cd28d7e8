// One destination of a route, as it was asked for.

public import RTPWire

/// One egress copy of a route's packets: a `--to` of a route.
public struct LegSpecification: Hashable, Sendable {
    /// The treatment of the TTL (IPv4) or hop limit (IPv6).
    public enum TimeToLive: Hashable, Sendable {
        /// One less than it came with, as a router does (`ttl=decrement`, the default).
        case decrement
        /// As it came (`ttl=keep`).
        case keep
        /// This value, 1 to 255 (`ttl=16`).
        case set(UInt8)
    }

    /// The source address of the copy.
    public enum SourceAddress: Hashable, Sendable {
        /// The egress interface's own address (the default).
        case interface
        /// As it came (`source=keep`).
        case keep
        /// This address (`source=10.2.0.1`).
        case set(IPAddress)
    }

    /// Changes to the RTP header; nil leaves a field as it came.
    public struct RTPRewrite: Hashable, Sendable {
        /// The payload type to send with, 0 to 127 (`pt=`).
        public var payloadType: UInt8?
        /// The SSRC to send with (`ssrc=`).
        public var ssrc: UInt32?
        /// The number that is added to each sequence number, modulo 2^16 (`sequence-offset=`).
        public var sequenceOffset: UInt16
        /// The number that is added to each timestamp, modulo 2^32 (`timestamp-offset=`).
        public var timestampOffset: UInt32

        public init(
            payloadType: UInt8? = nil, ssrc: UInt32? = nil, sequenceOffset: UInt16 = 0, timestampOffset: UInt32 = 0
        ) {
            self.payloadType = payloadType
            self.ssrc = ssrc
            self.sequenceOffset = sequenceOffset
            self.timestampOffset = timestampOffset
        }

        /// True if nothing is changed.
        public var isEmpty: Bool { self == RTPRewrite() }
    }

    /// The packets of a route of RTP, with RTCP on the same UDP port (RFC 5761), that a leg has copies of.
    public enum Packets: String, Hashable, Sendable, Codable, CaseIterable {
        case all
        case rtp
        case rtcp
    }

    /// The destination address of the copies: unicast or a group.
    public var address: IPAddress
    /// The destination UDP port of the copies.
    public var udpPort: UInt16
    /// The port at which they leave.
    public var port: PortReference
    /// The source address of the copies.
    public var source: SourceAddress
    /// The source UDP port of the copies (`source-port=`), or nil to keep the one that they came with.
    public var sourceUDPPort: UInt16?
    /// The TTL or hop limit of the copies.
    public var timeToLive: TimeToLive
    /// The DSCP of the copies, 0 to 63 (`dscp=`), or nil to keep it. The ECN bits are always kept.
    public var dscp: UInt8?
    /// The destination MAC address (`mac=`), or nil to resolve the next hop.
    public var mac: MACAddress?
    /// Changes to the RTP header.
    public var rtp: RTPRewrite
    /// The packets that are copied (`packets=`).
    public var packets: Packets
    /// The key that the copies are encrypted with (`srtp=`), or nil to send them as they are.
    public var srtp: KeyReference?
    /// True if the leg is added although its link has no room for it, or somebody sends there already (`force=on`, `--force`).
    public var isForced: Bool

    public init(
        address: IPAddress, udpPort: UInt16, port: PortReference, source: SourceAddress = .interface,
        sourceUDPPort: UInt16? = nil, timeToLive: TimeToLive = .decrement, dscp: UInt8? = nil,
        mac: MACAddress? = nil, rtp: RTPRewrite = RTPRewrite(), packets: Packets = .all,
        srtp: KeyReference? = nil, isForced: Bool = false
    ) {
        self.address = address
        self.udpPort = udpPort
        self.port = port
        self.source = source
        self.sourceUDPPort = sourceUDPPort
        self.timeToLive = timeToLive
        self.dscp = dscp
        self.mac = mac
        self.rtp = rtp
        self.packets = packets
        self.srtp = srtp
        self.isForced = isForced
    }
}
