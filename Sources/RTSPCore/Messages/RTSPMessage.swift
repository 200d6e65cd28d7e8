// Units that a connection carries.

/// One unit on an RTSP connection: a message, or a packet between messages (RFC 2326 section 10.12).
public enum RTSPMessage: Hashable, Sendable {
    case request(RTSPRequest)
    case response(RTSPResponse)
    /// An RTP or RTCP packet on an interleaved channel.
    case interleaved(channel: UInt8, payload: [UInt8])
}
