// Transport of a stream between the node and a player or publisher.

public import RTPWire

/// The transport of one stream of a session, as it was agreed on.
public enum ServerTransport: Hashable, Sendable, Codable {
    /// UDP unicast. The address and UDP ports are the client's: where a player receives, where a publisher sends from.
    case udp(address: IPAddress, rtpUDPPort: UInt16, rtcpUDPPort: UInt16)
    /// On the TCP connection of the session (RFC 2326 section 10.12), by these channels.
    case interleaved(rtp: UInt8, rtcp: UInt8)
    /// To a group that all players share; RTCP has the next UDP port.
    case multicast(group: IPAddress, udpPort: UInt16, timeToLive: UInt8)

    /// True if it ends with the TCP connection.
    public var isInterleaved: Bool {
        if case .interleaved = self { true } else { false }
    }
}

/// The choice from a Transport header, and its form in the response.
public struct TransportChoice: Hashable, Sendable {
    public var transport: ServerTransport
    /// The one alternative of the response, but for what is known only when the choice is carried out.
    private let answer: TransportSpecification

    init(_ transport: ServerTransport, answer: TransportSpecification) {
        self.transport = transport
        self.answer = answer
    }

    /// The Transport of the response (RFC 2326 section 12.39).
    ///
    /// - Parameters:
    ///   - serverUDPPort: The node's even UDP port of RTP; RTCP has the next one. For UDP unicast.
    ///   - source: The address that the node sends from. For players on UDP.
    ///   - ssrc: The SSRC that is sent, where it is known. For unicast to players.
    public func answer(serverUDPPort: UInt16? = nil, source: IPAddress? = nil, ssrc: UInt32? = nil) -> String {
        var answer = answer
        answer.serverUDPPorts = serverUDPPort.map { .init($0, $0 + 1) }
        answer.source = source?.description
        if answer.delivery == .unicast { answer.ssrc = ssrc }
        return answer.description
    }
}
