// First hop of a packet to a destination.

public import RTPWire

/// The answer of the kernel's routing table for a destination through a given interface.
public struct NextHop: Hashable, Sendable {
    /// The address whose Ethernet address frames must carry: the gateway, or the destination itself. A group for a group.
    public var address: IPAddress
    public var interfaceIndex: UInt32
    /// True if `address` is a gateway. A gateway of an IPv4 destination may have an IPv6 address (RFC 8950).
    public var isGateway: Bool
    /// The address of this node that the kernel would send from; nil if the interface has none of that family.
    public var preferredSource: IPAddress?
    /// The route's own MTU in bytes, configured or learnt; nil where the interface's holds.
    public var mtu: UInt32?

    public init(
        address: IPAddress, interfaceIndex: UInt32, isGateway: Bool, preferredSource: IPAddress?, mtu: UInt32? = nil
    ) {
        self.mtu = mtu
        self.address = address
        self.interfaceIndex = interfaceIndex
        self.isGateway = isGateway
        self.preferredSource = preferredSource
    }
}
