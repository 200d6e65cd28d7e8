// Operator's name of the place where packets enter or leave: `eth0`, or `eth0.100` for VLAN 100 on it.

/// A port (a network interface) and the VLAN on it: the part behind the `@` of an endpoint.
public struct PortReference: Hashable, Sendable {
    /// The name of the interface that carries the frames, `eth0`.
    public var interface: String
    /// The VLAN identifiers on it, outer first: none for untagged frames, at most two. Each is 1 to 4094.
    public var vlans: [UInt16]

    public init(interface: String, vlans: [UInt16] = []) {
        self.interface = interface
        self.vlans = vlans
    }

    /// The host port, by which programs of this node take part (`HostPort`).
    public static let host = PortReference(interface: "host")

    /// True if this is the host port, with VLANs or without.
    var isHost: Bool { interface == Self.host.interface }
}
