// Two readings as one: the counters of the second, and the rates between them.

public import FastPath
import Sessions
import Timing

/// A reading of the counters with the rates since the reading before: what `stats --json` prints.
public struct MeasuredStatistics: Hashable, Sendable, Encodable {
    /// The counters.
    public var snapshot: StatisticsSnapshot
    /// The rates.
    public var rates: StatisticsRates
    /// The sessions; nil where no daemon answered.
    public var sessions: SessionStatistics?
    /// The states of the flows as the daemon sees them, over a longer time than two readings; nil where no daemon answered.
    public var states: [FlowReport]?

    public init(
        from old: StatisticsSnapshot, to new: StatisticsSnapshot, sessions: SessionStatistics? = nil,
        states: [FlowReport]? = nil
    ) {
        self.sessions = sessions
        self.states = states
        snapshot = new
        rates = StatisticsRates(from: old, to: new)
    }

    /// The reading without the flows of other routes than `route`, and the sessions that have nothing to do with it.
    public func only(route: String) -> MeasuredStatistics {
        var copy = self
        copy.snapshot.flows.removeAll { $0.route != route }
        copy.rates.flows.removeAll { $0.route != route }
        copy.states?.removeAll { $0.route != route }
        copy.sessions?.sessions.removeAll { session in
            !session.streams.contains { $0.route == route || $0.rtcpRoute == route }
        }
        return copy
    }

    /// When the second reading was taken, RFC 3339.
    public var time: String { RFC3339.text(unixNanoseconds: snapshot.unixNanoseconds) }

    private enum CodingKeys: String, CodingKey { case time, rates, sessions, sessionCounters, states }

    /// Encodes the keys of the snapshot, with `time`, `rates` and, where known, `sessions` and `sessionCounters` beside them.
    public func encode(to encoder: any Encoder) throws {
        try snapshot.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(time, forKey: .time)
        try container.encode(rates, forKey: .rates)
        try container.encodeIfPresent(sessions?.sessions, forKey: .sessions)
        try container.encodeIfPresent(sessions?.counters, forKey: .sessionCounters)
        try container.encodeIfPresent(states, forKey: .states)
    }
}
