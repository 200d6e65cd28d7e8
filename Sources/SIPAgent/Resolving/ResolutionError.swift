// Reasons for which a next hop is not found.

/// The name that could not be looked up, in one line with the remedy.
struct ResolutionError: Error, Hashable, Sendable, CustomStringConvertible {
    enum Reason: Hashable, Sendable {
        /// The DNS has no such name, or nothing of use under it.
        case notFound
        /// Nobody answered.
        case unavailable
        /// The URI asks for what this node does not speak.
        case unsupported
        /// Not in the cache; only seen between the cache and who asks it.
        case notCached
    }

    var reason: Reason
    var description: String

    init(_ reason: Reason, _ description: String) {
        self.reason = reason
        self.description = description
    }
}
