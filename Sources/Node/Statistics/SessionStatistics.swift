// The sessions of a node and what their agents have counted.

public import Sessions

/// Sessions and counters of all agents: what `GET /v1/statistics/sessions` answers.
public struct SessionStatistics: Hashable, Sendable, Codable {
    /// By name, agent after agent.
    public var sessions: [SessionReport]
    /// In the agents' order.
    public var counters: [SessionCounter]

    public init(sessions: [SessionReport] = [], counters: [SessionCounter] = []) {
        self.sessions = sessions
        self.counters = counters
    }
}
