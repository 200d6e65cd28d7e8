// How much a peer can make us store.

/// The most that a message may have. What exceeds it ends the connection.
public struct RTSPLimits: Hashable, Sendable {
    /// Bytes of the start line and of all header fields together.
    public var header: Int
    /// Bytes of a body.
    public var body: Int
    /// Header fields of one message.
    public var fields: Int

    public init(header: Int = 64 << 10, body: Int = 128 << 10, fields: Int = 1000) {
        self.header = header
        self.body = body
        self.fields = fields
    }
}
