// Counters of the agent, for `/metrics` and `stats`.

import AgentSupport
import SIPCore

typealias SIPCounters = AgentCounters<SIPCounter>

/// The counters of the agent.
enum SIPCounter: String, AgentCounter, CaseIterable {
    case requests = "sip_requests_total"
    case responses = "sip_responses_total"
    case receivedResponses = "sip_received_responses_total"
    case malformed = "sip_malformed_messages_total"
    case retransmissions = "sip_retransmissions_total"
    case timeouts = "sip_transaction_timeouts_total"
    case connections = "sip_connections_total"
    case refusedConnections = "sip_refused_connections_total"
    case calls = "sip_calls_total"
    case answeredCalls = "sip_answered_calls_total"
    case failedCalls = "sip_failed_calls_total"
    case endedCalls = "sip_ended_calls_total"
    case messages = "sip_messages_total"
    case unacknowledged = "sip_unacknowledged_answers_total"
    case expiredSessions = "sip_expired_sessions_total"

    var name: String { rawValue }

    var help: String {
        switch self {
        case .requests: "Requests received, by method; repeated ones count once."
        case .responses: "Responses sent, by status; repeated ones included."
        case .receivedResponses: "Responses received to requests of this node, by status; repeated ones count once."
        case .malformed: "Messages that could not be read, by what became of them."
        case .retransmissions: "Messages that were sent again since nobody answered in time."
        case .timeouts: "Requests that nobody answered in time."
        case .connections: "Connections made and accepted, by transport."
        case .refusedConnections: "Connections refused, by reason."
        case .calls: "Calls that began."
        case .answeredCalls: "Calls that were answered."
        case .failedCalls: "Calls that were not answered, by status."
        case .endedCalls: "Answered calls that ended, by who ended them."
        case .messages: "Messages (MESSAGE) outside of calls that were passed on, by status of the answer."
        case .unacknowledged: "Answers that their caller never acknowledged."
        case .expiredSessions: "Calls that ended since nobody refreshed them."
        }
    }

    /// The status as it is counted. Peers can answer with any number: what no RFC has is counted by its class.
    static func label(_ status: SIPStatus) -> String {
        registeredCodes.contains(status.code) ? "\(status.code)" : "\(status.code / 100)xx"
    }

    /// IANA's registry of SIP response codes.
    private static let registeredCodes: Set<UInt16> = [
        100, 180, 181, 182, 183, 199, 200, 202, 204, 300, 301, 302, 305, 380, 400, 401, 402, 403, 404, 405, 406, 407,
        408, 410, 412, 413, 414, 415, 416, 417, 420, 421, 422, 423, 424, 425, 428, 429, 430, 433, 436, 437, 438, 439,
        440, 469, 470, 480, 481, 482, 483, 484, 485, 486, 487, 488, 489, 491, 493, 494, 500, 501, 502, 503, 504, 505,
        513, 555, 580, 600, 603, 604, 606, 607, 608,
    ]
}
