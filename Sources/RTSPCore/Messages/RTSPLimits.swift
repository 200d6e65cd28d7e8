// Limits of the data that a peer can make us store.

/// The most that a message may have. What exceeds it ends the connection.
public struct RTSPLimits: Hashable, Sendable {
    /// Bytes of the start line and of all header fields together.
    public var header: Int
    /// Bytes of a body that describes a presentation: of a response, and of ANNOUNCE.
    public var body: Int
    /// Bytes of the body of every other request.
    public var smallBody: Int
    /// Header fields of one message.
    public var fields: Int

    public init(header: Int = 64 << 10, body: Int = 128 << 10, smallBody: Int = 128 << 10, fields: Int = 1000) {
        self.header = header
        self.body = body
        self.smallBody = smallBody
        self.fields = fields
    }

    /// The limits of a server for clients, who need not have authenticated: nothing but ANNOUNCE has a large body.
    public static let server = RTSPLimits(header: 16 << 10, body: 64 << 10, smallBody: 4 << 10, fields: 200)
}
