// Source of a route's packets.

public import RTPWire

/// The criteria that the incoming packets of a route are matched by: the `--from` of a route.
public struct SourceSpecification: Hashable, Sendable {
    /// The destination address that the packets carry: a multicast group, or an address of this node.
    public var address: IPAddress
    /// The destination UDP port that the packets carry.
    public var udpPort: UInt16
    /// The port at which they come in.
    public var port: PortReference
    /// The one source address to accept (`source=`), or nil for any.
    public var source: IPAddress?
    /// The one source UDP port to accept (`source-port=`), or nil for any.
    public var sourceUDPPort: UInt16?
    /// True if the node joins the group, or reserves the UDP port, itself (`join=off` leaves it to somebody else).
    public var joins: Bool
    /// The key that the packets are decrypted with (`srtp=`), or nil where they come as they are.
    public var srtp: KeyReference?

    public init(
        address: IPAddress, udpPort: UInt16, port: PortReference, source: IPAddress? = nil,
        sourceUDPPort: UInt16? = nil, joins: Bool = true, srtp: KeyReference? = nil
    ) {
        self.address = address
        self.udpPort = udpPort
        self.port = port
        self.source = source
        self.sourceUDPPort = sourceUDPPort
        self.joins = joins
        self.srtp = srtp
    }
}

extension SourceSpecification {
    /// True if packets of both have the same destination and come in at the same place.
    func isSameDestination(as other: SourceSpecification) -> Bool {
        address == other.address && udpPort == other.udpPort && port == other.port
    }

    /// True if the node holds a socket for it: nothing is joined or reserved at the host port, where addresses are its own.
    var isHeld: Bool { joins && !port.isHost }

    /// True if both take packets of the same senders.
    func hasSameFilter(as other: SourceSpecification) -> Bool {
        source == other.source && sourceUDPPort == other.sourceUDPPort
    }
}
