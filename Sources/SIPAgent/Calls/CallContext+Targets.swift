// From what the dial plan says to who is called.

import AgentSupport
import RTPWire
import SIPCore

extension CallContext {
    /// The targets to be called, each group at once: next hops as given, and registered devices by their preference.
    func stages(of decision: DialDecision) -> [[CallTarget]] {
        var stages: [[CallTarget]] = []
        for target in decision.targets {
            switch target {
            case .nextHop(let hop):
                stages.append([
                    CallTarget(
                        requestURI: hop.requestURI, destination: hop.destination, isConfigured: true,
                        credentials: hop.credentials,
                        ringTime: decision.ringTime, protection: decision.protection)
                ])
            case .registered(let address):
                for group in registrations.stages(for: address, now: MonotonicClock.now) {
                    stages.append(
                        group.map { contact in
                            CallTarget(
                                requestURI: contact.uri, destination: contact.destination,
                                connection: contact.connection, isAway: contact.isAway, ringTime: decision.ringTime,
                                protection: decision.protection)
                        })
                }
            }
        }
        return decision.forking == .parallel && !stages.isEmpty ? [stages.flatMap { $0 }] : stages
    }

    /// The targets to be called in the place of one that has named `uri` (3xx). A place of this node goes through the
    /// dial plan as if the caller had called it; others must be in a network that callers are let in from, or where the
    /// answer came from: nobody can have calls sent where the operator has not let anybody be.
    ///
    /// - Parameters:
    ///   - redirector: Where the 3xx came from.
    ///   - user: Who the caller has authenticated as.
    func targets(
        insteadOf target: CallTarget, _ uri: SIPURI, by redirector: IPAddress, caller: IPAddress, user: String?
    ) -> [[CallTarget]] {
        guard uri.scheme == .sip || uri.scheme == .sips else { return [] }
        // A target that was to be called over TLS still is (RFC 3261 section 8.1.3.4).
        guard target.requestURI.scheme != .sips || uri.scheme == .sips else { return [] }
        var uri = uri
        uri.headers = nil
        uri.parameters["method"] = nil
        if isOwn(uri) {
            return access.redirect(to: uri, from: caller, user: user).map { stages(of: $0) } ?? []
        }
        return [
            [
                CallTarget(
                    requestURI: uri, destination: uri, redirector: redirector, ringTime: Self.redirectedRingTime,
                    protection: target.protection)
            ]
        ]
    }

    private static let redirectedRingTime = 180

    /// True if a URI's host is this node: one of its listeners, names or domains.
    private func isOwn(_ uri: SIPURI) -> Bool {
        guard let place = uri.place else { return false }
        if case .name(let name) = place.host {
            let name = name.lowercased()
            return configuration.names.contains(name) || configuration.registrar?.domains.contains(name) == true
        }
        let transports: [SIPTransport] =
            uri.scheme == .sips ? [.tls] : uri.transport.map { [$0] } ?? [.udp, .tcp]
        return transports.contains { self.transports.isOwn(place, $0) }
    }

    /// The places of a target that may be called.
    func permitted(_ destinations: [SIPDestination], for target: CallTarget) -> [SIPDestination] {
        guard let redirector = target.redirector else { return destinations }
        return destinations.filter { access.mayReach($0.address, for: redirector) }
    }
}
