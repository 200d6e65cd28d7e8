// Limits of the size of a message.

/// The limits of the data that a peer can make the parser hold.
public struct SIPLimits: Hashable, Sendable {
    /// Bytes of start line and header fields.
    public var headerBytes: Int
    /// Header fields.
    public var headerFields: Int
    /// Values of Via, which every hop adds one to.
    public var vias: Int
    /// Bytes of a body.
    public var bodyBytes: Int

    public init(headerBytes: Int = 32_768, headerFields: Int = 256, vias: Int = 70, bodyBytes: Int = 65_536) {
        self.headerBytes = headerBytes
        self.headerFields = headerFields
        self.vias = vias
        self.bodyBytes = bodyBytes
    }
}
