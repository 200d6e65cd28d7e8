// The real source of a peer's packets.

/// A source that was learned from packets (RFC 4961), once for what was signalled.
struct LearnedSource: Hashable, Sendable, Codable {
    /// The endpoint that packets come from, and go to.
    var endpoint: MediaEndpoint
    /// The endpoint of the peer's description; when that changes, this is forgotten.
    var signalled: MediaEndpoint
}

/// A source that is to be learned.
struct Learning: Hashable, Sendable {
    var signalled: MediaEndpoint
    /// CLOCK_MONOTONIC in nanoseconds.
    var deadline: UInt64
    /// The number of packets that were none that may decide.
    var failures = 0
}
