// Requests of the control API to the proxy beyond sessions.

/// The proxy's routes at run time: `crosspoint rtsp route add|list|show|remove`.
public protocol RTSPRouteControl: Sendable {
    /// All, in the order in which they are tried: the configuration's first, then those added at run time.
    func rtspRoutes() async -> [RTSPRouteReport]
    /// Adds one; refused with `.conflict` when the name is taken, `.invalid` when it cannot be.
    func add(rtspRoute: RTSPRoute) async throws(RTSPRouteError) -> RTSPRouteReport
    /// Removes one; its sessions end. `.notFound` when there is none.
    func remove(rtspRoute name: String) async throws(RTSPRouteError)
    /// Makes the routes of the configuration equal to `routes`, at a reload; sessions of unchanged ones continue.
    func reconcile(rtspRoutes routes: [RTSPRoute]) async
}

/// The current state of a route of the proxy.
public struct RTSPRouteReport: Hashable, Sendable {
    /// The route with its password; the report's JSON has none.
    public var route: RTSPRoute
    /// True if the configuration keeps it.
    public var isConfigured: Bool
    /// `idle`, `connecting`, `live`, `waiting` (for the source to come back, or for a publisher).
    public var state: String
    /// The detail of the state for an operator: the last error of the upstream, with its time.
    public var detail: String?
    /// Players now.
    public var players: Int

    public init(route: RTSPRoute, isConfigured: Bool, state: String, detail: String? = nil, players: Int = 0) {
        self.route = route
        self.isConfigured = isConfigured
        self.state = state
        self.detail = detail
        self.players = players
    }
}

/// The reason for which a route of the proxy was refused: one line that names the thing and the remedy.
public struct RTSPRouteError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable { case invalid, conflict, notFound }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
