// The host port: made when it is first needed, and made again when somebody takes it away.

import FastPath
import Logging
import Netlink
import RTPWire

extension FlowController {
    public func hostPort() async throws(RoutingError) -> HostPort {
        try makeHostPort()
        try attachPort(PortReference.host.interface, of: "host port")
        return hostPortSettings.addresses
    }

    /// Makes the veth pair, or takes over and repairs the one that is there.
    func makeHostPort() throws(RoutingError) {
        guard view.interface(named: PortReference.host.interface) == nil else { return }
        let settings = hostPortSettings
        let addresses = settings.addresses
        do {
            // A change of this moment may not have been reported yet.
            try view.refreshAddresses(network)
            try checkCollisions()
            try network.ensurePair(
                VethPair(
                    near: settings.hostEnd, far: settings.fastPathEnd,
                    addresses: [
                        .init(addresses.hostIPv4, prefixLength: settings.ipv4.prefixLength),
                        .init(addresses.hostIPv6, prefixLength: settings.ipv6.prefixLength),
                    ]))
            view.hostPort = (settings, addresses)
            try view.refresh(network)
        } catch let error as RoutingError {
            throw error
        } catch {
            throw RoutingError(.unavailable, "host port: \(error)")
        }
        let port = try attachPort(PortReference.host.interface, of: "host port")
        // A packet that programs send to the fast path's end without a flow is nobody's: it must not reach the stack behind it.
        guard let index = port.interfaceIndex, index != guardedHostPort else { return }
        let before = guardedHostPort
        guardedHostPort = index
        for address in [addresses.fastPathIPv4, addresses.fastPathIPv6] {
            if let before { fastPath.unguardGroup(address, interfaceIndex: before, vlans: []) }
            try fastPathCall { () throws(FastPathError) in
                try fastPath.guardGroup(address, interfaceIndex: index, vlans: [])
            }
        }
        let ends = "\(addresses.hostIPv4) and \(addresses.hostIPv6)"
        logger.info("host port \(settings.hostEnd): \(ends)")
    }

    /// Refuses subnets that another interface has a part of.
    private func checkCollisions() throws(RoutingError) {
        let settings = hostPortSettings
        for subnet in [settings.ipv4, settings.ipv6] {
            let other = view.addresses.first { address in
                subnet.overlaps(address.address, prefixLength: address.prefixLength)
                    && view.interfaces[address.interfaceIndex]?.name != settings.hostEnd
            }
            guard let other else { continue }
            let name = view.interfaces[other.interfaceIndex]?.name ?? "another interface"
            throw RoutingError(
                .conflict,
                "host port: its network \(subnet) overlaps that of \(name), "
                    + "\(other.address)/\(other.prefixLength); give the host port another subnet")
        }
    }

    /// Makes the pair again after it was removed while in use. Its flows follow with the event of its new interface.
    func remakeHostPort() {
        guard let known = view.hostPort, view.interface(named: PortReference.host.interface) == nil else { return }
        logger.warning("host port \(known.settings.hostEnd): was removed, made again")
        do throws(RoutingError) {
            try makeHostPort()
            guard let interface = view.interface(named: PortReference.host.interface) else { return }
            reestablishSources(on: interface, named: PortReference.host.interface)
        } catch {
            logger.error("\(error)")
        }
    }
}
