// What the agent counts, for `/metrics` and `stats`.

import AgentSupport
import Sessions

/// Counters by name and labels; monotonic as long as the daemon runs.
@AgentActor
final class SIPCounters {
    private struct Key: Hashable {
        var counter: SIPCounter
        var labels: [String: String]
    }

    private var values: [Key: UInt64] = [:]

    init() {}

    /// Adds to a counter. Labels come from fixed sets, never from a peer's text: their number must stay small.
    func add(_ amount: UInt64 = 1, to counter: SIPCounter, _ labels: [String: String] = [:]) {
        values[Key(counter: counter, labels: labels), default: 0] += amount
    }

    /// All counters that counted anything, by name and labels.
    func report() -> [SessionCounter] {
        values
            .map { key, value in
                SessionCounter(
                    name: key.counter.rawValue, help: key.counter.help, labels: key.labels, value: Double(value))
            }
            .sorted {
                ($0.name, "\($0.labels.sorted { $0.key < $1.key })") < (
                    $1.name, "\($1.labels.sorted { $0.key < $1.key })"
                )
            }
    }
}

/// The counters of the agent.
enum SIPCounter: String, Hashable, Sendable, CaseIterable {
    case requests = "sip_requests_total"
    case responses = "sip_responses_total"
    case malformed = "sip_malformed_messages_total"
    case retransmissions = "sip_retransmissions_total"
    case timeouts = "sip_transaction_timeouts_total"
    case connections = "sip_connections_total"
    case refusedConnections = "sip_refused_connections_total"
    case calls = "sip_calls_total"
    case answeredCalls = "sip_answered_calls_total"
    case failedCalls = "sip_failed_calls_total"
    case endedCalls = "sip_ended_calls_total"
    case unacknowledged = "sip_unacknowledged_answers_total"
    case expiredSessions = "sip_expired_sessions_total"

    var help: String {
        switch self {
        case .requests: "Requests received, by method, and answers to them, by class of status."
        case .responses: "Responses received, by class of status."
        case .malformed: "Messages that could not be read, by what became of them."
        case .retransmissions: "Messages that were sent again since nobody answered in time."
        case .timeouts: "Requests that nobody answered in time."
        case .connections: "Connections made and accepted, by transport."
        case .refusedConnections: "Connections refused, by reason."
        case .calls: "Calls that began."
        case .answeredCalls: "Calls that were answered."
        case .failedCalls: "Calls that were not answered, by status."
        case .endedCalls: "Answered calls that ended, by who or what ended them."
        case .unacknowledged: "Answers that their caller never acknowledged."
        case .expiredSessions: "Calls that ended since nobody refreshed them."
        }
    }
}
