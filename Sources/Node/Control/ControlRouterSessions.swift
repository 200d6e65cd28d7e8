// The part of the control API about sessions and about the routes of the RTSP proxy.

import Hummingbird
import RTSPProxy
import Routing
import SIPAgent
import Sessions

extension ControlRouter {
    func addReadingOfSessions(to router: Router<ControlContext>) {
        router.get("v1/sessions") { _, _ in
            try requireAgents()
            return try json(await sessionStatistics().sessions)
        }
        router.get("v1/sessions/:name") { _, context in
            try requireAgents()
            let name = try name(context)
            for agent in sessions {
                if let report = await agent.session(name) { return try json(report) }
            }
            throw Self.unknown(session: name)
        }
        router.get("v1/sessions/:name/messages") { _, context in
            try requireAgents()
            let name = try name(context)
            if let messages = await sip?.messages(ofCall: name) { return try json(messages) }
            for agent in sessions where await agent.session(name) != nil {
                throw RoutingError(.invalid, "session '\(name)' is no SIP call; only the messages of calls are kept")
            }
            throw Self.unknown(session: name)
        }
        router.get("v1/sip/registrations") { _, _ in try json(try await agent().registrations()) }
        router.get("v1/statistics/sessions") { _, _ in try json(await sessionStatistics()) }
        router.get("v1/rtsp/routes") { _, _ in try json(try await proxy().rtspRoutes()) }
        router.get("v1/rtsp/routes/:name") { _, context in
            let name = try name(context)
            guard let report = try await proxy().rtspRoutes().first(where: { $0.route.name == name }) else {
                throw RoutingError(
                    .notFound, "there is no RTSP route '\(name)'; 'crosspoint rtsp route list' lists the routes")
            }
            return try json(report)
        }
    }

    func addChangingOfSessions(to router: Router<ControlContext>) {
        router.delete("v1/sessions/:name") { _, context in
            try requireAgents()
            let name = try name(context)
            guard await close(session: name) else { throw Self.unknown(session: name) }
            return Response(status: .noContent)
        }
        router.post("v1/rtsp/routes") { request, _ in
            let proxy = try proxy()
            let route = try await body(RTSPRoute.self, of: request)
            if let key = route.settingThatNeedsUsers, await keeper.configuration.rtsp?.usersFile == nil {
                throw RoutingError(
                    .invalid,
                    "RTSP route '\(route.name)' asks for users (\(key)), but the configuration has no rtsp.users-file; "
                        + "name the file there and start the daemon again, or use \(key) anyone")
            }
            do { return try json(try await proxy.add(rtspRoute: route), status: .created) } catch let error
                as RTSPRouteError
            { throw RoutingError(error) }
        }
        router.delete("v1/rtsp/routes/:name") { _, context in
            do { try await proxy().remove(rtspRoute: try name(context)) } catch let error as RTSPRouteError {
                throw RoutingError(error)
            }
            return Response(status: .noContent)
        }
    }

    /// Closes a session at whichever agent has it; false where none has. A method of its own: the optimiser of Swift 6.3.1
    /// crashes over the loop in the closure.
    private func close(session name: String) async -> Bool {
        for agent in sessions { if await agent.close(session: name) { return true } }
        return false
    }

    /// All sessions and counters; none without an agent.
    func sessionStatistics() async -> SessionStatistics {
        var statistics = SessionStatistics()
        for agent in sessions {
            statistics.sessions += await agent.sessions()
            statistics.counters += await agent.counters()
        }
        return statistics
    }

    /// The name of a route that operators may change. Throws for one that belongs to a session.
    func operatedRoute(_ context: ControlContext) async throws -> String {
        let name = try name(context)
        guard try await control.route(name).owner == .session else { return name }
        let owner = await sessionStatistics().sessions.first { session in
            session.streams.contains { $0.route == name || $0.rtcpRoute == name }
        }
        throw RoutingError(
            .conflict,
            "route '\(name)' belongs to \(owner.map { "session '\($0.name)'" } ?? "a session"); end that with "
                + "'crosspoint session close \(owner?.name ?? "SESSION")'")
    }

    private func requireAgents() throws(RoutingError) { if sessions.isEmpty { throw Self.noAgent } }

    private func proxy() throws(RoutingError) -> any RTSPRouteControl {
        guard let rtspRoutes else { throw Self.noProxy }
        return rtspRoutes
    }

    private func agent() throws(RoutingError) -> any SIPControl {
        guard let sip else {
            throw RoutingError(
                .unavailable,
                "this node has no SIP agent; write a section 'sip:' into its configuration and start the daemon again")
        }
        return sip
    }

    private static let noAgent = RoutingError(
        .unavailable,
        "this node negotiates no sessions; write a section 'rtsp:' or 'sip:' into its configuration and start the daemon again"
    )

    private static let noProxy = RoutingError(
        .unavailable,
        "this node has no RTSP proxy; write a section 'rtsp:' into its configuration and start the daemon again")

    private static func unknown(session name: String) -> RoutingError {
        RoutingError(.notFound, "there is no session '\(name)'; 'crosspoint session list' lists the sessions")
    }
}

extension RoutingError {
    /// The refusal of the proxy as one of the control API.
    init(_ error: RTSPRouteError) {
        let code: Code =
            switch error.code {
            case .invalid: .invalid
            case .conflict: .conflict
            case .notFound: .notFound
            }
        self.init(code, error.message)
    }
}
