// What the controller knows of the node's network, kept up to date by events.

import Netlink
import RTPWire

/// Interfaces, addresses and neighbours as they were last told. Questions about routes go to the kernel.
struct NetworkView {
    private(set) var interfaces: [UInt32: NetworkInterface] = [:]
    private(set) var addresses: [InterfaceAddress] = []
    private(set) var neighbours: [NeighbourKey: Neighbour] = [:]

    /// Whom a neighbour entry is about.
    struct NeighbourKey: Hashable {
        var address: IPAddress
        var interfaceIndex: UInt32
    }

    /// Reads everything anew.
    mutating func refresh(_ network: any HostNetwork) throws(NetlinkError) {
        interfaces = Dictionary(try network.interfaces().map { ($0.index, $0) }) { _, new in new }
        addresses = try network.addresses()
        for key in neighbours.keys {
            neighbours[key] = try network.neighbour(key.address, interfaceIndex: key.interfaceIndex)
        }
    }

    mutating func refreshAddresses(_ network: any HostNetwork) throws(NetlinkError) {
        addresses = try network.addresses()
    }

    mutating func set(_ interface: NetworkInterface) { interfaces[interface.index] = interface }
    mutating func remove(interface index: UInt32) { interfaces[index] = nil }

    mutating func set(_ neighbour: Neighbour) {
        neighbours[NeighbourKey(address: neighbour.address, interfaceIndex: neighbour.interfaceIndex)] = neighbour
    }

    mutating func forget(_ key: NeighbourKey) { neighbours[key] = nil }

    func interface(named name: String) -> NetworkInterface? { interfaces.values.first { $0.name == name } }

    /// The host's device whose addresses, routes and memberships count for a port reference: the interface itself, or
    /// its VLAN device. Nil when there is none, as for two tags without devices for both.
    func layer3(_ reference: PortReference) -> NetworkInterface? {
        var device = interface(named: reference.interface)
        for vlan in reference.vlans {
            guard let parent = device?.index else { return nil }
            device = interfaces.values.first { $0.parentIndex == parent && $0.vlanID == vlan }
        }
        return device
    }

    /// Whether the address is one of this node's.
    func isOwn(_ address: IPAddress) -> Bool { addresses.contains { $0.address == address } }

    /// The address to send from: global before link-local, usable ones only.
    func sourceAddress(on index: UInt32, family: IPAddress.Family) -> IPAddress? {
        let usable = addresses.filter {
            $0.interfaceIndex == index && $0.address.family == family && !$0.isTentative && !$0.isDeprecated
        }
        return (usable.first { !$0.address.isLinkLocalUnicast } ?? usable.first)?.address
    }
}
