// What must be known of an upstream to go on with it after a restart.

public import RTSPCore

/// An upstream's entry in the journal. It holds the upstream's session identifier, a secret; it never holds its user or password.
public struct UpstreamRecord: Hashable, Sendable, Codable {
    /// Where the session is, after redirects.
    public var url: String
    /// The upstream's description, as it came.
    public var description: [UInt8]
    /// The session; nil where it ended with its connection, and only the streams' routes are gone on with.
    public var resumption: ClientResumption?

    public init(url: String, description: [UInt8], resumption: ClientResumption?) {
        self.url = url
        self.description = description
        self.resumption = resumption
    }
}
