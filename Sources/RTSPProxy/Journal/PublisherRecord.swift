// Record of a publisher's streams for a restarted daemon.

/// The announced presentation; the UDP ports are in the session and in the streams' routes.
struct PublisherRecord: Hashable, Sendable, Codable {
    /// As it was announced.
    var description: [UInt8]
    /// The URL that its control URLs are relative to.
    var base: String
    /// The publisher's address and TCP port, for people.
    var peer: String
}
