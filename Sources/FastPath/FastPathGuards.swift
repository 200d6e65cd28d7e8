// Addresses whose packets stay away from the host, with or without a flow.

import CrosspointShim
public import RTPWire

extension FastPath {
    /// Keeps packets to a joined group, whatever their UDP port, from the host. Counted: as many calls take it away.
    public func guardGroup(_ group: IPAddress, interfaceIndex: UInt32, vlans: [UInt16]) throws(FastPathError) {
        let place = FlowKey(interfaceIndex: interfaceIndex, vlans: vlans, destination: group, udpPort: 0)
        try addGuard(
            FlowTable.Key(guardOf: group, interfaceIndex: interfaceIndex, vlans: place.encodedVLANs))
    }

    public func unguardGroup(_ group: IPAddress, interfaceIndex: UInt32, vlans: [UInt16]) {
        let place = FlowKey(interfaceIndex: interfaceIndex, vlans: vlans, destination: group, udpPort: 0)
        removeGuard(FlowTable.Key(guardOf: group, interfaceIndex: interfaceIndex, vlans: place.encodedVLANs))
    }

    /// Keeps packets to a reserved address and UDP port from the host on whatever port they come in.
    public func guardAddress(_ address: IPAddress, udpPort: UInt16) throws(FastPathError) {
        try addGuard(FlowTable.Key(guardOf: address, udpPort: udpPort))
    }

    public func unguardAddress(_ address: IPAddress, udpPort: UInt16) {
        removeGuard(FlowTable.Key(guardOf: address, udpPort: udpPort))
    }

    private func addGuard(_ key: FlowTable.Key) throws(FastPathError) {
        if let uses = guards[key] {
            guards[key] = uses + 1
            return
        }
        guard let index = flowTable.place(for: key) else {
            throw FastPathError(.full, "flow table: no slot for the guard of \(key.destination); remove routes")
        }
        flowTable.publish(key, crosspoint_flow(), crosspoint_flow_detail(), at: index)
        guards[key] = 1
    }

    private func removeGuard(_ key: FlowTable.Key) {
        guard let uses = guards[key] else { return }
        guards[key] = uses - 1
        if uses <= 1 {
            guards[key] = nil
            if let index = flowTable.find(key) { flowTable.remove(at: index) }
        }
    }

    /// Removes guards that an earlier process left and nobody asked for again.
    public func removeUnusedGuards() {
        for (key, uses) in guards where uses == 0 { removeGuard(key) }
    }
}
