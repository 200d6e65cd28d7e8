// What the control API, the configuration and the sessions ask of the one writer of the fast path.

/// The operations on routes. `FlowController` implements them; tests of the control API bring their own.
///
/// Each returns when its effect is live in the fast path, and throws without any effect.
public protocol RouteControl: Sendable {
    /// Installs a route. `owner` says who keeps it: a reload of the configuration touches only its own routes.
    func add(_ route: RouteSpecification, owner: RouteOwner) async throws(RoutingError) -> RouteReport
    /// Removes the route `name` and all its legs.
    func remove(route name: String) async throws(RoutingError)
    /// Gives the route `name` another source; its legs go on.
    func take(route name: String, source: SourceSpecification) async throws(RoutingError) -> RouteReport
    /// Moves the route `name` to another engine; every packet is sent by the one or by the other.
    func setEngine(_ engine: RouteSpecification.Engine, of name: String) async throws(RoutingError) -> RouteReport
    /// Adds a leg to the route `name`.
    func addLeg(_ leg: LegSpecification, to name: String, force: Bool) async throws(RoutingError) -> LegReport
    /// Removes the leg with the given number.
    func removeLeg(_ number: UInt32, from name: String) async throws(RoutingError)
    /// Replaces the leg with the given number by another specification under the same number.
    func setLeg(_ number: UInt32, of name: String, to leg: LegSpecification) async throws(RoutingError) -> LegReport
    /// The route `name`.
    func route(_ name: String) async throws(RoutingError) -> RouteReport
    /// All routes, by name.
    func routes() async -> [RouteReport]
    /// Makes the routes owned by the configuration equal to `routes`: what is equal is not touched.
    func reconcile(configuration routes: [RouteSpecification]) async -> ReconcileReport
}

/// Who keeps a route.
public enum RouteOwner: String, Hashable, Sendable, Codable {
    /// The configuration file.
    case configuration
    /// An operator, at run time.
    case `operator`
    /// An RTSP session or a SIP call (`SessionRouteControl`).
    case session
}

/// A route as it stands.
public struct RouteReport: Hashable, Sendable {
    /// The route as it was asked for.
    public var specification: RouteSpecification
    /// Who keeps it.
    public var owner: RouteOwner
    /// The engine that carries it, and why.
    public var engine: String
    public var engineReason: String
    /// The state of the group membership or of the UDP port reservation: `joined`, `reserved`, `off`, or what is wrong.
    public var membership: String
    /// The legs, by number.
    public var legs: [LegReport]

    public init(
        specification: RouteSpecification, owner: RouteOwner, engine: String, engineReason: String,
        membership: String, legs: [LegReport]
    ) {
        self.specification = specification
        self.owner = owner
        self.engine = engine
        self.engineReason = engineReason
        self.membership = membership
        self.legs = legs
    }
}

/// A leg as it stands.
public struct LegReport: Hashable, Sendable {
    /// Whether the leg's copies are sent.
    public enum State: String, Hashable, Sendable, Codable {
        /// In the fast path.
        case active
        /// Waits for its next hop's MAC address.
        case unresolved
        /// Waits for its interface, which is down or gone.
        case linkDown = "link-down"
        /// Waits for a route to its destination or an address to send from.
        case unroutable
        /// In the fast path, and sends nothing until its session opens it.
        case shut
    }

    /// The leg's number, unique within the route and never used again by it.
    public var number: UInt32
    /// The leg as it was asked for.
    public var specification: LegSpecification
    /// Whether its copies are sent.
    public var state: State
    /// Why not, for a person; nil when they are.
    public var reason: String?
    /// The next hop's address and MAC address, where known.
    public var nextHop: String?

    public init(number: UInt32, specification: LegSpecification, state: State, reason: String?, nextHop: String?) {
        self.number = number
        self.specification = specification
        self.state = state
        self.reason = reason
        self.nextHop = nextHop
    }
}

/// What a reload of the configuration did.
public struct ReconcileReport: Hashable, Sendable, Codable {
    /// Names of the routes that were added, changed, removed and left alone.
    public var added: [String]
    public var changed: [String]
    public var removed: [String]
    public var unchanged: [String]
    /// What could not be done, one line each.
    public var failures: [String]

    public init(
        added: [String] = [], changed: [String] = [], removed: [String] = [], unchanged: [String] = [],
        failures: [String] = []
    ) {
        self.added = added
        self.changed = changed
        self.removed = removed
        self.unchanged = unchanged
        self.failures = failures
    }
}
