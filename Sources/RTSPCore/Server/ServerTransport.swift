// How a stream is carried between the node and a player or publisher.

public import RTPWire

/// The transport of one stream of a session, as it was agreed on.
public enum ServerTransport: Hashable, Sendable, Codable {
    /// UDP unicast. The address and UDP ports are the client's: where a player receives, where a publisher sends from.
    case udp(address: IPAddress, rtpUDPPort: UInt16, rtcpUDPPort: UInt16)
    /// On the TCP connection of the session (RFC 2326 section 10.12), by these channels.
    case interleaved(rtp: UInt8, rtcp: UInt8)
    /// To a group that all players share; RTCP has the next UDP port.
    case multicast(group: IPAddress, udpPort: UInt16, timeToLive: UInt8)

    /// Whether it ends with the TCP connection.
    public var isInterleaved: Bool {
        if case .interleaved = self { true } else { false }
    }
}

/// What was chosen from a Transport header, and how the response says it.
public struct TransportChoice: Hashable, Sendable {
    public var transport: ServerTransport
    /// The one alternative of the response.
    public var answer: TransportSpecification

    public init(_ transport: ServerTransport, answer: TransportSpecification) {
        self.transport = transport
        self.answer = answer
    }
}
