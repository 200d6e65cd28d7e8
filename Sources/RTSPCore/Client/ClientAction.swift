// Actions that a session with a server asks for.

/// An action that the driver of a `ClientSession` carries out for it, in order.
public enum ClientAction: Hashable, Sendable {
    /// Sends a message on the connection.
    case send(RTSPMessage)
    /// Closes the connection, makes one to this URL, and calls `connected`; `.described` comes again then. The reason is for the log.
    case connect(RTSPURL, reason: String)
    /// The server's description: parse it and call `setUp`.
    case described(sdp: [UInt8])
    /// Reserve a pair of UDP ports for the stream and call `offer` with the even one, or `cannotOffer`.
    case needsUDPPorts(stream: Int)
    /// All streams are set up: make ready to receive, and call `play`.
    case prepared([ClientStream])
    /// The server plays. Also after an earlier session was taken up again, without `.described` before it.
    case established([ClientStream])
    /// A packet that came interleaved.
    case packet(stream: Int, isRTCP: Bool, payload: [UInt8])
    /// The server announces another description for the running session (ANNOUNCE).
    case announced(sdp: [UInt8])
    /// Something that an operator should know.
    case note(String)
    /// The session is over, and the connection of no more use.
    case ended(ClientSessionEnd)
}

/// The reason for which a session with a server is over.
public struct ClientSessionEnd: Error, Hashable, Sendable, CustomStringConvertible {
    /// The status that a player is answered with who wants the stream: 404, 502, 503 or 504, and 200 for an end that was asked for.
    public var status: RTSPStatus
    /// For the log.
    public var reason: String
    /// True if it is the server that failed, so that another one of the same service may do better (RFC 2782), rather
    /// than that the request is refused.
    public var isOfServer: Bool

    public init(_ status: RTSPStatus, _ reason: String, isOfServer: Bool = false) {
        self.status = status
        self.reason = reason
        self.isOfServer = isOfServer
    }

    /// The end that a server's refusal means: its own 401 is never a player's (the player could not answer it).
    init(refusal status: RTSPStatus, of method: RTSPMethod) {
        let reason = "\(method.name) is refused: \(status.code) \(status.phrase)"
        switch status.code {
        case 404, 410: self.init(.notFound, reason)
        case 453, 503: self.init(.serviceUnavailable, reason, isOfServer: true)
        case 408, 504: self.init(.gatewayTimeout, reason, isOfServer: true)
        case 401: self.init(.badGateway, reason + "; check user and password of the upstream's URL")
        default: self.init(.badGateway, reason, isOfServer: status.code >= 500)
        }
    }

    public var description: String { reason }
}

/// The state of a session that is needed to continue it over another connection, in another process.
public struct ClientResumption: Hashable, Sendable, Codable {
    /// The server's session identifier: a secret.
    public var session: String
    /// In seconds.
    public var timeout: UInt32
    /// The last sequence number that was used.
    public var sequence: UInt32
    /// The URL of the whole presentation.
    public var presentation: String
    public var streams: [ClientStream]
    /// The methods that the server supports, where it said so.
    public var methods: [String]
}
