// The ports that are attached.

import CrosspointShim
public import RTPWire

extension FastPath {
    /// The attached ports, by number.
    public var ports: [Port] { portTable.ports.values.sorted { $0.number < $1.number } }

    public func port(named name: String) -> Port? { portTable.port(named: name) }

    /// Attaches an interface, or finds it attached; one that came back gets its old number.
    public func attachPort(name: String, interfaceIndex: UInt32, mac: MACAddress) throws(FastPathError) -> Port {
        let before = portTable.port(named: name)
        let port = try portTable.attach(
            name: name, interfaceIndex: interfaceIndex, mac: mac, ingress: ingress, egress: egress)
        if before?.mac != mac { setIngressMAC(of: port) }
        if let before, before.interfaceIndex != interfaceIndex {
            try legStore.refreshShapes(egress: egress, interface: portTable.interface(ofNumber:))
        }
        return port
    }

    /// Tells every flow of a port the port's own address, which has changed.
    private func setIngressMAC(of port: Port) {
        let mac = port.mac.bytes
        for slot in 0..<flowTable.slots.count {
            let place = flowTable.slots[slot]
            guard FlowTable.isUsed(place.pointee.kind), place.pointee.port == UInt8(port.number) else { continue }
            place.pointee.ingress_mac = (mac[0], mac[1], mac[2], mac[3], mac[4], mac[5])
        }
    }

    /// Takes note that a port's interface is gone.
    public func interfaceGone(_ port: Port) { portTable.interfaceGone(port.number) }

    /// Detaches a port that no flow and no leg uses.
    public func detachPort(_ port: Port) { portTable.detach(port.number) }
}
