// Answer of `GET /v1/node`.

/// The node and its daemon.
public struct NodeReport: Hashable, Sendable, Codable {
    /// The node's name.
    public var node: String
    /// The daemon's version.
    public var version: String
    /// The daemon's process.
    public var processIdentifier: Int32
    /// When the daemon was started, RFC 3339.
    public var startedAt: String
    /// The configuration file that it reads, nil if it runs without one.
    public var configurationFile: String?
    /// The problem of that file, where the node runs with what it said before; nil where it does not.
    public var problem: String?
    /// The directory of what it keeps while the host is up.
    public var runtimeDirectory: String
    /// The directory in which the fast path is pinned.
    public var bpffs: String
}
