// Sources of requests, and destinations of their responses (RFC 3261 section 18.2, RFC 3581).

public import RTPWire

extension Via {
    /// Notes the source of the request that this is the topmost Via of: `received` where it differs from what the
    /// sender wrote, both `received` and `rport` where the sender asks for `rport`, or is behind a NAT, which would let nothing else in.
    public mutating func noteSource(_ source: IPAddress, transportPort: UInt16) {
        let isTranslated = transport == .udp && sentBy.host.address.map { $0 != source } ?? false
        let wantsPort = parameters.contains("rport") || isTranslated
        // A claim of the sender about this is not true.
        parameters["received"] = nil
        if wantsPort { parameters["rport"] = String(transportPort) }
        if wantsPort || sentBy.host != .address(source) { parameters["received"] = source.description }
    }

    /// The destination of the response that this is the topmost Via of, when it is not sent on the connection of its
    /// request (section 18.2.2, RFC 3581 section 4): the source, with its own UDP port where `rport` asks for it.
    ///
    /// `maddr` is ignored. It is meant for groups, which this node is not reached by, and would have the node send to whomever a stranger
    /// names.
    public var responseDestination: SIPHostPort {
        let host = received.map { SIPHost.address($0) } ?? sentBy.host
        let port = transport == .udp ? rport ?? sentBy.transportPort : sentBy.transportPort
        return SIPHostPort(host, port ?? transport.defaultPort)
    }
}

extension SIPRequest {
    /// Takes the topmost Route away where it names this node (RFC 3261 section 16.4).
    public mutating func takeOwnRoute(ownPlaces: [SIPHostPort]) {
        guard let routes = try? headers.addresses("Route"), let place = routes.first?.uri.place else { return }
        let transport = routes[0].uri.transport ?? (routes[0].uri.scheme == .sips ? .tls : .udp)
        guard ownPlaces.contains(where: { $0.isEquivalent(to: place, for: transport) }) else { return }
        headers.set("Route", Array(routes.dropFirst()))
    }

    /// Notes in the topmost Via where the request came from; to be done before anything else sees the request.
    public mutating func noteSource(_ source: IPAddress, transportPort: UInt16) {
        guard !vias.isEmpty else { return }
        vias[0].noteSource(source, transportPort: transportPort)
    }
}
