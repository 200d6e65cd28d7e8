// Counters of the checks that are made before anybody is called.

import AgentSupport

typealias AccessCounters = AgentCounters<AccessCounter>

/// The counters of access and registration.
enum AccessCounter: String, AgentCounter, CaseIterable {
    case refusals = "sip_refusals_total"
    case registrations = "sip_registrations_total"

    var name: String { rawValue }

    var help: String {
        switch self {
        case .refusals: "Requests that were refused or not answered before anybody was called, by reason."
        case .registrations: "REGISTER requests that were carried out, by what they did."
        }
    }
}
