// Distribution of the fast path's reports to those whom they concern.

public import Routing

/// Hands each event to the one who listens to its route: one subscription for all.
@AgentActor
public final class RouteEvents {
    public typealias Listener = @AgentActor (SessionRouteEvent) -> Void

    private let routing: any SessionRouteControl
    private var listeners: [String: Listener] = [:]
    private var subscription: Task<Void, Never>?

    public init(routing: any SessionRouteControl) { self.routing = routing }

    deinit { subscription?.cancel() }

    /// Calls `listener` for what happens on the route after this returns.
    public func listen(to route: String, _ listener: @escaping Listener) async {
        listeners[route] = listener
        guard subscription == nil else { return }
        let events = await routing.sessionRouteEvents()
        guard subscription == nil else { return }
        subscription = Task { @AgentActor [weak self] in
            for await event in events { self?.listeners[event.route]?(event) }
        }
    }

    /// Calls nobody any more for what happens on the route.
    public func ignore(_ route: String) { listeners[route] = nil }
}
