// Record of a player's or publisher's session for a restarted daemon.

import RTSPCore
import Routing

/// A session's entry in the journal. It holds the session's identifier, a secret.
struct SessionRecord: Hashable, Sendable, Codable {
    /// The way by which one stream reaches the player.
    struct Delivery: Hashable, Sendable, Codable {
        var stream: PresentationStream
        var way: Way
    }

    /// The ways that outlive the daemon. Interleaved streams end with their connection.
    enum Way: Hashable, Sendable, Codable {
        case udp(
            UDPDelivery.Destination, local: NetworkAttachment, serverUDPPort: UInt16, rtpLeg: UInt32?, rtcpLeg: UInt32?)
        case multicast(rtpLeg: UInt32?, rtcpLeg: UInt32?)
    }

    var name: String
    var core: ServerSession
    var agent: String?
    var startedAt: String
    /// A player's.
    var deliveries: [Delivery]
    /// A publisher's.
    var publisher: PublisherRecord?
}
