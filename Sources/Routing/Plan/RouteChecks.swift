// Conflicts of one route with the others: a clash or a loop.

import Netlink
import RTPWire

/// Checks of a route against the node and the other routes. Pure; each returns nil or the refusal.
enum RouteChecks {
    /// Checks if two sources could take the same packet.
    static func clash(_ new: SourceSpecification, with others: [(name: String, source: SourceSpecification)])
        -> RoutingError?
    {
        for (name, old) in others
        where old.address == new.address && old.udpPort == new.udpPort && old.port == new.port {
            let isSame = old.source == new.source && old.sourceUDPPort == new.sourceUDPPort
            let isEither = old.source == nil || new.source == nil
            let isMixed = old.source == new.source && (old.sourceUDPPort == nil) != (new.sourceUDPPort == nil)
            guard isSame || isEither || isMixed else { continue }
            let remedy =
                isSame
                ? "remove that route, or add legs to it with 'crosspoint leg add \(name)'"
                : "give both routes a different source="
            return RoutingError(
                .conflict, "source \(new): its packets are those of route \(name) (\(old)); \(remedy)")
        }
        return nil
    }

    /// Checks if a leg would send into a flow of this node, its own or another's.
    static func loop(
        _ leg: LegSpecification, route: String, sources: [(name: String, source: SourceSpecification)],
        view: NetworkView?
    ) -> RoutingError? {
        if let view, leg.port.isHost {
            if let problem = hostPort("leg \(leg)", leg.port, leg.address, \.hostIPv4, \.hostIPv6, view) {
                return problem
            }
        } else if let view, !leg.address.isMulticast, view.isOwn(leg.address) {
            return RoutingError(
                .conflict, "leg \(leg): \(leg.address) is this node's own address; the packets would come back here")
        }
        for (name, source) in sources where feeds(leg, source) {
            let whose = name == route ? "the route's own source" : "the source of route \(name)"
            return RoutingError(.conflict, "leg \(leg): is \(whose), a loop; use another group, UDP port or interface")
        }
        return nil
    }

    /// True if a leg's copies are a source's packets.
    static func feeds(_ leg: LegSpecification, _ source: SourceSpecification) -> Bool {
        source.udpPort == leg.udpPort && source.address == leg.address && source.port == leg.port
    }

    /// The problem of a source on this node.
    static func source(_ source: SourceSpecification, view: NetworkView) -> RoutingError? {
        guard let interface = view.interface(named: source.port.interface) else {
            return noInterface(source.port.interface, of: "\(source)", view: view)
        }
        if source.port.isHost {
            return hostPort("source \(source)", source.port, source.address, \.fastPathIPv4, \.fastPathIPv6, view)
        }
        if source.joins, view.layer3(source.port) == nil {
            let vlans = source.port.vlans.map(String.init).joined(separator: ".")
            return RoutingError(
                .unavailable,
                "source \(source): no VLAN device \(interface.name).\(vlans) on this host to join or reserve with; make "
                    + "one (ip link add link \(interface.name) name \(interface.name).\(vlans) type vlan id \(vlans)), "
                    + "or give join=off")
        }
        if !source.address.isMulticast, source.joins, !view.isOwn(source.address) {
            return RoutingError(
                .invalid,
                "source \(source): \(source.address) is neither a multicast group nor an address of this node; check "
                    + "'ip address', or give join=off if the packets come here all the same")
        }
        if let own = source.source, view.isOwn(own) {
            return RoutingError(.conflict, "source \(source): \(own) is this node itself")
        }
        return nil
    }

    /// The problem of an endpoint at the host port, where each end has two addresses.
    private static func hostPort(
        _ endpoint: String, _ port: PortReference, _ address: IPAddress, _ ipv4: KeyPath<HostPort, IPAddress>,
        _ ipv6: KeyPath<HostPort, IPAddress>, _ view: NetworkView
    ) -> RoutingError? {
        guard let addresses = view.hostPort?.addresses else {
            return RoutingError(.unavailable, "\(endpoint): there is no host port")
        }
        guard port.vlans.isEmpty else {
            return RoutingError(.invalid, "\(endpoint): the host port has no VLANs; write @host")
        }
        let (first, second) = (addresses[keyPath: ipv4], addresses[keyPath: ipv6])
        guard address != first, address != second else { return nil }
        return RoutingError(.invalid, "\(endpoint): at the host port the address is \(first) or \(second)")
    }

    static func noInterface(_ name: String, of whose: String, view: NetworkView) -> RoutingError {
        let names = view.interfaces.values.map(\.name).filter { $0 != "lo" }.sorted().prefix(8)
        return RoutingError(
            .unavailable,
            "\(whose): interface \(name) does not exist; this host has \(names.joined(separator: ", "))")
    }
}
