// Errors that end a connection: bytes that are not RTSP, or more than a peer may send.

/// The reason for which a byte stream cannot be read on. The connection must be closed: the beginning of the next
/// message is not known.
public struct RTSPDecodingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The status that a server answers before it closes.
    public var status: RTSPStatus
    /// The problem, for the log; it quotes nothing of the peer's text but numbers and names.
    public var reason: String
    /// The sequence number of the message, where it was read before the message went wrong.
    public var sequence: UInt32?
    /// True if the peer speaks HTTP: it understands an answer in HTTP only.
    public var isHTTP: Bool

    public init(_ status: RTSPStatus, _ reason: String, sequence: UInt32? = nil, isHTTP: Bool = false) {
        self.status = status
        self.reason = reason
        self.sequence = sequence
        self.isHTTP = isHTTP
    }

    public var description: String { "\(status.code) \(status.phrase): \(reason)" }
}
