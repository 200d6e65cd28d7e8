// Agreement of both sides for one medium.

public import RTPWire
import SDP

/// One `m=` line of an agreed session, as the flows of its side need it.
public struct NegotiatedMedium: Hashable, Sendable {
    /// The place of the `m=` line, from 0.
    public let index: Int
    public let kind: String
    /// True if the medium is in use: neither side has given UDP port 0.
    public let isActive: Bool
    /// The address that this node's RTP goes to; nil where the medium is not in use, or the peer has given a name.
    public let remoteAddress: IPAddress?
    public let remoteUDPPort: UInt16
    /// The address that this node's RTCP goes to; nil as above.
    public let remoteRTCPAddress: IPAddress?
    public let remoteRTCPUDPPort: UInt16?
    /// True if RTP and RTCP share a UDP port: both sides have said so (RFC 5761 section 5.1.1).
    public let isMultiplexed: Bool
    /// The permissions of this node to send RTP to the peer, and of the peer to send RTP to this node.
    public let sends: Bool
    public let receives: Bool
    /// True if the peer wants neither RTP nor RTCP: the hold of RFC 2543, `c=0.0.0.0` (RFC 3264 section 8.4).
    public let isSilent: Bool
    /// The payload types that this node sends, as the peer's description says, and those that the peer sends.
    public let sentPayloadTypes: [UInt8]
    public let receivedPayloadTypes: [UInt8]

    init(_ index: Int, local: SessionDescription, remote: SessionDescription) {
        let mine = local.media[index]
        let theirs = remote.media[index]
        let connection = remote.connection(of: theirs)
        let isActive = mine.udpPort != 0 && theirs.udpPort != 0
        let isSilent = connection?.isUnspecified ?? false
        self.index = index
        kind = mine.kind
        self.isActive = isActive
        self.isSilent = isSilent
        remoteAddress = isActive && !isSilent ? connection?.ipAddress : nil
        remoteUDPPort = theirs.udpPort
        isMultiplexed = mine.hasRTCPMultiplexing && theirs.hasRTCPMultiplexing
        let rtcp = theirs.rtcp
        remoteRTCPAddress = isMultiplexed ? remoteAddress : isActive && !isSilent ? rtcp?.address ?? remoteAddress : nil
        // If multiplexing was offered and not taken, RTCP has a UDP port of its own.
        let separate = rtcp?.udpPort ?? (theirs.udpPort < .max ? theirs.udpPort + 1 : nil)
        remoteRTCPUDPPort = isMultiplexed ? theirs.udpPort : separate
        // An answer that asks for more than was offered gets no more: both must agree.
        let directions = (local.direction(of: mine), remote.direction(of: theirs))
        sends = isActive && !isSilent && directions.0.sends && directions.1.receives
        receives = isActive && directions.0.receives && directions.1.sends
        sentPayloadTypes = theirs.payloadTypes
        receivedPayloadTypes = mine.payloadTypes
    }
}
