// Result of a reload of the configuration, and the changes that need a restart.

public import Routing

/// The outcome of a reload.
public struct ReloadReport: Hashable, Sendable, Codable {
    /// The result for the routes.
    public var routes: ReconcileReport
    /// The result for the routes of the RTSP proxy; nil where none runs.
    public var rtspRoutes: ReconcileReport?
    /// The result for the section `sip`; nil where no SIP agent runs.
    public var sip: SIPReload?
    /// The keys that changed in the file, but take effect when the daemon is started again.
    public var needRestart: [String]

    /// The result of a reload for the section `sip`.
    public struct SIPReload: Hashable, Sendable, Codable {
        /// Rules of the dial plan that are in force.
        public var rules: Int
        /// The reason for which the agent continues with its earlier configuration; nil where it took the change.
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
