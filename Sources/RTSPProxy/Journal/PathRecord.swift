// Record of a path's source for a restarted daemon.

/// A path's entry in the journal.
struct PathRecord: Hashable, Sendable, Codable {
    /// The request path.
    var path: String
    /// The path in route names.
    var routeName: String
    var upstream: UpstreamRecord
}
