// The name of a dialog.

/// Identifies a dialog at this node (RFC 3261 section 12).
public struct DialogID: Hashable, Sendable, Codable {
    public var callID: String
    /// The tag that this node has chosen.
    public var localTag: String
    /// The peer's tag; nil for a peer of RFC 2543 that has none.
    public var remoteTag: String?

    public init(callID: String, localTag: String, remoteTag: String?) {
        self.callID = callID
        self.localTag = localTag
        self.remoteTag = remoteTag
    }

    /// The dialog that a received request belongs to; nil where it is outside of any, having no tag in To.
    public init?(received request: SIPRequest) {
        guard let tag = request.to.tag else { return nil }
        self.init(callID: request.callID, localTag: tag, remoteTag: request.from.tag)
    }

    /// The dialog that a received response belongs to or creates; nil where the request's From had no tag.
    public init?(received response: SIPResponse) {
        guard let tag = response.from.tag else { return nil }
        self.init(callID: response.callID, localTag: tag, remoteTag: response.to.tag)
    }
}
