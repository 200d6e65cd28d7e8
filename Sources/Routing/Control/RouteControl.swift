// Requests of the control API, the configuration and the sessions to the one writer of the fast path.

/// The operations on routes. `FlowController` implements them; tests of the control API bring their own.
///
/// Each returns when its effect is live in the fast path, and throws without any effect.
public protocol RouteControl: Sendable {
    /// Installs a route. `owner` says who keeps it: a reload of the configuration touches only its own routes.
    func add(_ route: RouteSpecification, owner: RouteOwner) async throws(RoutingError) -> RouteReport
    /// Makes a batch of changes, whole or not at all: where one of them cannot be, nothing has happened and not a packet was forwarded.
    /// The reports are of the routes that there are afterwards, in the order of their first changes.
    func apply(_ changes: [RouteChange]) async throws(RoutingError) -> [RouteReport]
    /// The same once every source that gets legs by the batch was seen, if there is a wait; where one is not seen in time nothing changes.
    func apply(_ changes: [RouteChange], awaiting wait: SourceWait?) async throws(RoutingError) -> [RouteReport]
    /// Throws what is wrong with a batch, and changes nothing.
    func problems(with changes: [RouteChange]) async throws(RoutingError)
    /// Removes the route `name` and all its legs.
    func remove(route name: String) async throws(RoutingError)
    /// Gives the route `name` another source at once; its legs continue.
    func take(route name: String, source: SourceSpecification) async throws(RoutingError) -> RouteReport
    /// Gives the route `name` another source once that was seen, if there is a wait; where it is not seen in time nothing changes.
    func take(
        route name: String, source: SourceSpecification, awaiting wait: SourceWait?
    ) async throws(RoutingError) -> RouteReport
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
    /// The names of the routes that sessions keep.
    func routesOfSessions() async -> Set<String>
    /// Applies the routes of the configuration file: what is equal is not touched, and what was changed at run time is left alone unless
    /// the mode says otherwise.
    func reconcile(configuration routes: [RouteSpecification], _ mode: ReconcileMode) async -> ReconcileReport
}

extension RouteControl {
    public func routesOfSessions() async -> Set<String> { [] }

    public func apply(
        _ changes: [RouteChange], awaiting wait: SourceWait?
    ) async throws(RoutingError) -> [RouteReport] { try await apply(changes) }

    public func take(
        route name: String, source: SourceSpecification, awaiting wait: SourceWait?
    ) async throws(RoutingError) -> RouteReport { try await take(route: name, source: source) }
}

/// The owner of a route.
public enum RouteOwner: String, Hashable, Sendable, Codable {
    /// The configuration file.
    case configuration
    /// An operator, at run time.
    case `operator`
    /// An RTSP session or a SIP call (`SessionRouteControl`).
    case session
    /// Nobody who is known: the route was found, and its record is missing or not understood.
    case unknown
}

/// The relation of a route between its intent and the running state.
public enum RouteStanding: String, Hashable, Sendable, Codable {
    /// It is carried.
    case live
    /// It is wanted and cannot be carried now; it is tried again when the network changes.
    case refused
    /// It continues as it was found, and is not understood; an operator can remove it.
    case quarantined
}

/// The current state of a route.
public struct RouteReport: Hashable, Sendable {
    /// The route as it was asked for.
    public var specification: RouteSpecification
    /// The owner of the route.
    public var owner: RouteOwner
    /// The engine that carries it, and why.
    public var engine: String
    public var engineReason: String
    /// The state of the group membership or of the UDP port reservation: `joined`, `reserved`, `off`, or what is wrong.
    public var membership: String
    /// The legs, by number.
    public var legs: [LegReport]
    /// The standing of the route: if it is carried.
    public var standing: RouteStanding
    /// The problem of the route as a whole, for a person; nil without a problem.
    public var problem: String?
    /// True if the configuration file has the route, and has it otherwise.
    public var differsFromFile: Bool
    /// The node's revision at which the route was changed last.
    public var revision: UInt64
    /// The person or program that changed it last, where that is known.
    public var author: String?

    public init(
        specification: RouteSpecification, owner: RouteOwner, engine: String, engineReason: String,
        membership: String, legs: [LegReport], standing: RouteStanding = .live, problem: String? = nil,
        differsFromFile: Bool = false, revision: UInt64 = 0, author: String? = nil
    ) {
        self.specification = specification
        self.owner = owner
        self.engine = engine
        self.engineReason = engineReason
        self.membership = membership
        self.legs = legs
        self.standing = standing
        self.problem = problem
        self.differsFromFile = differsFromFile
        self.revision = revision
        self.author = author
    }
}

/// The current state of a leg.
public struct LegReport: Hashable, Sendable {
    /// The states of a leg: if its copies are sent.
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
        /// Leaves encrypted, and no AF_XDP worker takes its packets now: sends nothing.
        case noWorker = "no-worker"
    }

    /// The leg's number, unique within the route and never used again by it.
    public var number: UInt32
    /// The leg as it was asked for.
    public var specification: LegSpecification
    /// The state of the leg: if its copies are sent.
    public var state: State
    /// The reason for which they are not sent, for a person; nil when they are.
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

/// The extent to which the configuration file applies.
public enum ReconcileMode: Hashable, Sendable {
    /// At a start: each route by itself, so that one that cannot be carried keeps no other from it. Where routes run already, edits of the
    /// file are applied to those that were not changed at run time.
    case start
    /// At a reload: all of it or nothing. Changes that were made at run time are undone only if `discardsChanges` is set; with `isDryRun`
    /// nothing happens but the report.
    case reload(discardsChanges: Bool, isDryRun: Bool)
}

/// The result of applying the configuration, or of a trial.
public struct ReconcileReport: Hashable, Sendable, Codable {
    /// Names of the routes that were added, changed, removed and left alone.
    public var added: [String]
    public var changed: [String]
    public var removed: [String]
    public var unchanged: [String]
    /// Changes of run time that the file does not have, and that were kept: a line each.
    public var kept: [String]
    /// The changes that could not be made, one line each. After a reload with failures nothing has changed.
    public var failures: [String]

    public init(
        added: [String] = [], changed: [String] = [], removed: [String] = [], unchanged: [String] = [],
        kept: [String] = [], failures: [String] = []
    ) {
        self.added = added
        self.changed = changed
        self.removed = removed
        self.unchanged = unchanged
        self.kept = kept
        self.failures = failures
    }
}
