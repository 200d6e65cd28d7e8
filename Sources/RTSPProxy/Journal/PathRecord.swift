// What a restarted daemon must know of a path's source.

/// A path's entry in the journal.
struct PathRecord: Hashable, Sendable, Codable {
    /// The request path.
    var path: String
    /// The path in route names.
    var routeName: String
    var upstream: UpstreamRecord
}
