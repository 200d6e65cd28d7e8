// What the fast path reports, to whom it concerns.

import Routing

/// Hands each event to the one who listens to its route: one subscription for all.
@RTSPActor
final class RouteEvents {
    typealias Listener = @RTSPActor (SessionRouteEvent) -> Void

    private let routing: any SessionRouteControl
    private var listeners: [String: Listener] = [:]
    private var subscription: Task<Void, Never>?

    init(routing: any SessionRouteControl) { self.routing = routing }

    deinit { subscription?.cancel() }

    /// Calls `listener` for what happens on the route after this returns.
    func listen(to route: String, _ listener: @escaping Listener) async {
        listeners[route] = listener
        guard subscription == nil else { return }
        let events = await routing.sessionRouteEvents()
        guard subscription == nil else { return }
        subscription = Task { @RTSPActor [weak self] in
            for await event in events { self?.listeners[event.route]?(event) }
        }
    }

    func ignore(_ route: String) { listeners[route] = nil }
}
