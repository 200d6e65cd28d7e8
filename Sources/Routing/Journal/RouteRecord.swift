// A route and its legs as the journal keeps them.

import FoundationEssentials
import Journal

/// A route in the journal, without its legs.
struct RouteRecord: Codable, Hashable {
    static let kind = "route"
    /// The version of this form, and the newest that is understood.
    static let version = 1

    var id: UUID
    var revision: UInt64
    var route: RouteSpecification
    var owner: RouteOwner
    /// The route as the configuration file had it, legs included.
    var configured: RouteSpecification?
    var nextLegNumber: UInt32
    var author: String?

    static func key(_ name: String) -> JournalKey { JournalKey(kind, name) }
}

/// A leg in the journal.
struct LegRecord: Codable, Hashable {
    static let kind = "leg"
    static let version = 1

    var number: UInt32
    var to: LegSpecification
    var counter: UInt32
    /// True where it was added shut; the fast path knows whether its session has opened it since.
    var isShut: Bool?
    /// The node's revision at which the leg was changed.
    var revision: UInt64?

    static func key(_ number: UInt32, of route: String) -> JournalKey { JournalKey(kind, "\(route)/\(number)") }
}

/// A configured route that was removed at run time: what the file said of it then.
struct WithdrawnRecord: Codable, Hashable {
    static let kind = "withdrawn"
    static let version = 1

    var route: RouteSpecification

    static func key(_ name: String) -> JournalKey { JournalKey(kind, name) }
}

/// A route of the journal as it was.
struct JournalledRoute: Hashable {
    var intent: RouteIntent
    var nextLegNumber: UInt32
    var legs: [LegRecord]
}
