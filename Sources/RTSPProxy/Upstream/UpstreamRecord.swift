// Record of an upstream from which its session continues after a restart.

import RTSPCore

/// An upstream's entry in the journal. It holds the upstream's session identifier, a secret; it never holds its user or password.
struct UpstreamRecord: Hashable, Sendable, Codable {
    /// The URL of the session, after redirects.
    var url: String
    /// The upstream's description, as it came.
    var description: [UInt8]
    /// The session; nil where it ended with its connection, and only the streams' routes are gone on with.
    var resumption: ClientResumption?

    init(url: String, description: [UInt8], resumption: ClientResumption?) {
        self.url = url
        self.description = description
        self.resumption = resumption
    }
}
