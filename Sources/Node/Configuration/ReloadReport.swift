// What a reload of the configuration did, and what it could not do without a restart.

public import Routing

/// The outcome of a reload.
public struct ReloadReport: Hashable, Sendable, Codable {
    /// What became of the routes.
    public var routes: ReconcileReport
    /// What became of the routes of the RTSP proxy; nil where none runs.
    public var rtspRoutes: ReconcileReport?
    /// What came of the section `sip`; nil where no SIP agent runs.
    public var sip: SIPReload?
    /// The keys that changed in the file, but take effect when the daemon is started again.
    public var needRestart: [String]

    /// What a reload did with the section `sip`.
    public struct SIPReload: Hashable, Sendable, Codable {
        /// Rules of the dial plan that are in force.
        public var rules: Int
        /// Why the agent goes on with what it had; nil where it took the change.
        public var failure: String?

        public init(rules: Int, failure: String? = nil) {
            self.rules = rules
            self.failure = failure
        }
    }

    public init(
        routes: ReconcileReport, rtspRoutes: ReconcileReport? = nil, sip: SIPReload? = nil, needRestart: [String]
    ) {
        self.routes = routes
        self.rtspRoutes = rtspRoutes
        self.sip = sip
        self.needRestart = needRestart
    }
}
