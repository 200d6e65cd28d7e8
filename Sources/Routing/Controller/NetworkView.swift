// The controller's view of the node's network, kept up to date by events.

import Netlink
import RTPWire

/// Interfaces, addresses and neighbours as they were last reported. Questions about routes go to the kernel.
struct NetworkView {
    private(set) var interfaces: [UInt32: NetworkInterface] = [:]
    private(set) var addresses: [InterfaceAddress] = []
    private(set) var neighbours: [NeighbourKey: Neighbour] = [:]
    /// The host port's ends and addresses, once it is made.
    var hostPort: (settings: HostPortSettings, addresses: HostPort)?

    /// Whom a neighbour entry is about.
    struct NeighbourKey: Hashable {
        var address: IPAddress
        var interfaceIndex: UInt32
    }

    /// Reads everything again.
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

    /// The interface of the given name, or the fast path's end of the host port.
    func interface(named name: String) -> NetworkInterface? {
        let wanted = name == PortReference.host.interface ? hostPort?.settings.fastPathEnd : name
        return interfaces.values.first { $0.name == wanted }
    }

    /// The name of an interface as a port.
    func portName(of interface: NetworkInterface) -> String {
        interface.name == hostPort?.settings.fastPathEnd ? PortReference.host.interface : interface.name
    }

    /// The port that carries an interface's frames, and the VLANs on it.
    func reference(to interface: NetworkInterface) -> PortReference {
        var device = interface
        var vlans: [UInt16] = []
        while vlans.count < 2, let vlan = device.vlanID, let parent = device.parentIndex.flatMap({ interfaces[$0] }) {
            vlans.insert(vlan, at: 0)
            device = parent
        }
        return PortReference(interface: device.name, vlans: vlans)
    }

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

    /// The key of the socket of a source; nil where that needs the interface and it is gone.
    func socketKey(of source: SourceSpecification) -> SocketKey? {
        guard source.address.isMulticast || source.address.isLinkLocalUnicast else {
            return .reserve(address: source.address, udpPort: source.udpPort)
        }
        guard let device = layer3(source.port)?.name else { return nil }
        return source.address.isMulticast
            ? .join(group: source.address, source: source.source, interface: device)
            : .reserve(address: source.address, udpPort: source.udpPort, interface: device)
    }

    /// True if the address is one of this node's.
    func isOwn(_ address: IPAddress) -> Bool { addresses.contains { $0.address == address } }

    /// The address to send from: global before link-local, usable ones only.
    func sourceAddress(on index: UInt32, family: IPAddress.Family) -> IPAddress? {
        let usable = addresses.filter {
            $0.interfaceIndex == index && $0.address.family == family && !$0.isTentative && !$0.isDeprecated
        }
        return (usable.first { !$0.address.isLinkLocalUnicast } ?? usable.first)?.address
    }
}
