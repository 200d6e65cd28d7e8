// What operators may not do: change the routes of sessions.

extension RouteControl {
    /// Throws if the route `name` is a session's, which operators see and do not change; for whoever serves operators.
    public func checkOperator(mayChange name: String) async throws(RoutingError) {
        guard try await route(name).owner == .session else { return }
        throw RoutingError(
            .conflict,
            "route \(name): belongs to a session, which alone changes it; end the session with 'crosspoint session close' "
                + "('crosspoint session list' shows it)")
    }
}
