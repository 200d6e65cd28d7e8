// What a reload of the configuration did, and what it could not do without a restart.

public import Routing

/// The outcome of a reload.
public struct ReloadReport: Hashable, Sendable, Codable {
    /// What became of the routes.
    public var routes: ReconcileReport
    /// What became of the routes of the RTSP proxy; nil where none runs.
    public var rtspRoutes: ReconcileReport?
    /// The keys that changed in the file, but take effect when the daemon is started again.
    public var needRestart: [String]

    public init(routes: ReconcileReport, rtspRoutes: ReconcileReport? = nil, needRestart: [String]) {
        self.routes = routes
        self.rtspRoutes = rtspRoutes
        self.needRestart = needRestart
    }
}
