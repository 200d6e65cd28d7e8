// Packets that are for a flow and come otherwise than it expects.

/// The latest packet for a silent flow's destination that was not the flow's, and what made the difference.
public struct FlowSighting: Hashable, Sendable, Codable {
    /// The differences between what comes and what the flow expects.
    public enum Kind: String, Hashable, Sendable, Codable {
        /// A TTL or hop limit of 1 (or 0), with which a router may not send on.
        case ttlExpired = "ttl-expired"
        /// Fragments, which have no UDP header but the first.
        case fragments
        /// Another VLAN, or a tag too many or too few.
        case wrongVLAN = "wrong-vlan"
        /// Another network interface of this node.
        case wrongPort = "wrong-port"
        /// Another UDP port of the group.
        case wrongUDPPort = "wrong-udp-port"
    }

    /// The difference.
    public var kind: Kind
    /// The packets of the kind since the flow was installed.
    public var packets: UInt64
    /// The age of the last one, in nanoseconds.
    public var ageNanoseconds: UInt64
    /// The address that it came from.
    public var source: String
    /// The network interface that it came in by.
    public var port: String
    /// Its VLANs, outer first; empty for an untagged frame.
    public var vlans: [UInt16]
    /// Its destination UDP port; nil of a fragment.
    public var udpPort: UInt16?

    public init(
        kind: Kind, packets: UInt64, ageNanoseconds: UInt64, source: String, port: String, vlans: [UInt16],
        udpPort: UInt16?
    ) {
        self.kind = kind
        self.packets = packets
        self.ageNanoseconds = ageNanoseconds
        self.source = source
        self.port = port
        self.vlans = vlans
        self.udpPort = udpPort
    }
}
