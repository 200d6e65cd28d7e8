// What the agent counts, for `/metrics` and `stats`.

import AgentSupport

typealias SIPCounters = AgentCounters<SIPCounter>

/// The counters of the agent.
enum SIPCounter: String, AgentCounter, CaseIterable {
    case requests = "sip_requests_total"
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

    var name: String { rawValue }

    var help: String {
        switch self {
        case .requests: "Requests received, by method; repeated ones count once."
        case .malformed: "Messages that could not be read, by what became of them."
        case .retransmissions: "Messages that were sent again since nobody answered in time."
        case .timeouts: "Requests that nobody answered in time."
        case .connections: "Connections made and accepted, by transport."
        case .refusedConnections: "Connections refused, by reason."
        case .calls: "Calls that began."
        case .answeredCalls: "Calls that were answered."
        case .failedCalls: "Calls that were not answered, by status."
        case .endedCalls: "Answered calls that ended, by who ended them."
        case .unacknowledged: "Answers that their caller never acknowledged."
        case .expiredSessions: "Calls that ended since nobody refreshed them."
        }
    }
}
