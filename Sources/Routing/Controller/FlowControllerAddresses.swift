// Hardware addresses that the frames of a route's source come to.

import FastPath
import Netlink
import RTPWire

extension FlowController {
    /// Has the fast path drop frames of a route's source that were for another host, where its own can be recognised.
    func judgeHardwareAddress(of state: RouteState) {
        guard let flow = state.flow else { return }
        fastPath.setComesToOwnMAC(comesToOwnMAC(state.specification.source), of: flow)
    }

    /// The same for all routes: an interface or an address has changed.
    func judgeHardwareAddresses() {
        for state in table.values { judgeHardwareAddress(of: state) }
    }

    /// True if a source's frames come to the hardware address of its own port: not where the destination is that of an
    /// interface above the port which has another, as macvlan, VRRP and VLAN devices may.
    private func comesToOwnMAC(_ source: SourceSpecification) -> Bool {
        guard let port = view.interface(named: source.port.interface), let mac = port.mac, mac != .zero else {
            return false
        }
        if source.address.isMulticast { return view.layer3(source.port)?.mac == mac }
        let owners = view.addresses.filter { $0.address == source.address }
        return !owners.isEmpty && owners.allSatisfy { view.interfaces[$0.interfaceIndex]?.mac == mac }
    }
}
