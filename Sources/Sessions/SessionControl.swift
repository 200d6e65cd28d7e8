// Requests of the control API to the agents that negotiate sessions.

/// A protocol agent's sessions: `RTSPProxy` and `SIPAgent` implement it, the control API serves it.
public protocol SessionControl: Sendable {
    /// All sessions, by name.
    func sessions() async -> [SessionReport]
    /// The session `name`, or nil.
    func session(_ name: String) async -> SessionReport?
    /// Ends the session `name` as its own protocol ends it; returns when its media is out of the fast path. False: there is none.
    func close(session name: String) async -> Bool
    /// Counters for `/metrics` and `stats`.
    func counters() async -> [SessionCounter]
    /// Returns when the agent has taken up what an earlier daemon left, and listens; or when the waiting task is cancelled.
    func whenListening() async
}

/// One counter of an agent, as Prometheus wants it.
public struct SessionCounter: Hashable, Sendable, Codable {
    /// Without the prefix `crosspoint_`: `rtsp_requests_total`.
    public var name: String
    /// For people: one sentence.
    public var help: String
    /// Label names and values: `["method": "SETUP", "status": "200"]`.
    public var labels: [String: String]
    public var value: Double

    public init(name: String, help: String, labels: [String: String] = [:], value: Double) {
        self.name = name
        self.help = help
        self.labels = labels
        self.value = value
    }
}
