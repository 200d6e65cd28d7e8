// Where a peer's packets really come from.

/// A source that was learned from packets (RFC 4961), once for what was signalled.
struct LearnedSource: Hashable, Sendable, Codable {
    /// Where packets come from, and go to.
    var endpoint: MediaEndpoint
    /// What the peer's description says; when that changes, this is forgotten.
    var signalled: MediaEndpoint
}

/// A source that is to be learned.
struct Learning: Hashable, Sendable {
    var signalled: MediaEndpoint
    /// CLOCK_MONOTONIC in nanoseconds.
    var deadline: UInt64
    /// How often a packet was none that may decide.
    var failures = 0
}
