// What changed in the node's network.

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
    case routeChanged
    /// Events were lost. Read everything again: interfaces, addresses, next hops, neighbours.
    case overrun
}
