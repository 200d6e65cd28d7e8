// Changes of the node's network.

public import RTPWire

/// A change in the kernel's view of the network.
public enum NetworkEvent: Hashable, Sendable {
    /// An interface came, or something about it changed: up, carrier, MTU, address, name, XDP program.
    case linkChanged(NetworkInterface)
    /// An interface went; its index will not come back for the same device.
    case linkRemoved(index: UInt32)
    /// An address of this node came, changed or went on the interface.
    case addressChanged(interfaceIndex: UInt32)
    /// A neighbour came or changed.
    case neighbourChanged(Neighbour)
    /// A neighbour's entry went. So do managed ones when their own link goes down: ask for them again when it is up.
    case neighbourRemoved(address: IPAddress, interfaceIndex: UInt32)
    /// A route, rule or next hop object changed. The kernel does not say so for IPv4 routes that go because their
    /// link goes down: look next hops up again after `linkChanged`, too.
    /// The prefix is that of a route's destinations; nil where the change may concern any.
    case routeChanged(RoutePrefix?)
    /// Events were lost. Read everything again: interfaces, addresses, next hops, neighbours.
    case overrun
}

/// The destinations of a route.
public struct RoutePrefix: Hashable, Sendable {
    public var address: IPAddress
    /// The number of bits that destinations have in common with `address`.
    public var length: UInt8

    public init(_ address: IPAddress, length: UInt8) {
        self.address = address
        self.length = length
    }

    /// True if an address is one of the route's destinations.
    public func contains(_ other: IPAddress) -> Bool {
        guard other.family == address.family else { return false }
        var bits = Int(length)
        for (one, two) in zip(address.bytes, other.bytes) {
            if bits <= 0 { return true }
            let mask = bits >= 8 ? 0xff : UInt8(truncatingIfNeeded: 0xff00 >> bits)
            if (one ^ two) & mask != 0 { return false }
            bits -= 8
        }
        return true
    }
}
