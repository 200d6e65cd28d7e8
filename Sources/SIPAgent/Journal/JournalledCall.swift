// Records of a call that the journal may hold.

import AgentSupport

/// A call of an earlier daemon.
enum JournalledCall: Sendable {
    case answered(CallRecord)
    case unanswered(UnansweredCallRecord)

    /// The characters that the lines of the journal begin with.
    static let answeredSign = UInt8(ascii: "+")
    static let unansweredSign = UInt8(ascii: "?")

    var name: String {
        switch self {
        case .answered(let record): record.name
        case .unanswered(let record): record.name
        }
    }

    /// Nanoseconds since 1970.
    var startedAt: UInt64 {
        switch self {
        case .answered(let record): record.startedAt
        case .unanswered(let record): record.startedAt
        }
    }
}
