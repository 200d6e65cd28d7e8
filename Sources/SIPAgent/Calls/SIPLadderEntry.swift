// One message of a call, as operators see it.

/// One rung of a call's ladder: `crosspoint session show --messages`.
public struct SIPLadderEntry: Hashable, Sendable, Codable {
    public enum Direction: String, Hashable, Sendable, Codable {
        case received, sent
    }

    /// When, RFC 3339.
    public var time: String
    /// Seconds since the call began.
    public var offset: Double
    public var direction: Direction
    /// The other end: `UDP 10.1.0.7:5060`.
    public var peer: String
    /// `INVITE sip:studio2@10.2.0.5 SIP/2.0`, `SIP/2.0 200 OK`.
    public var firstLine: String
    /// The whole message, credentials and keys left out.
    public var message: String

    public init(
        time: String, offset: Double, direction: Direction, peer: String, firstLine: String, message: String
    ) {
        self.time = time
        self.offset = offset
        self.direction = direction
        self.peer = peer
        self.firstLine = firstLine
        self.message = message
    }
}
