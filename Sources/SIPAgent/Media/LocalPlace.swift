// Place at which this node receives one medium on one side of a call.

import RTPWire
import Routing
import SIPCore

/// A pair of UDP ports of this node, or a group that it has joined.
struct LocalPlace: Hashable, Sendable, Codable {
    /// The port that faces the peer, with the address that the node has there.
    var attachment: NetworkAttachment
    /// UDP ports of RTP and RTCP.
    var udpPort: UInt16
    var rtcpUDPPort: UInt16
    /// The group that the peer has named, with its time to live; nil for unicast, where the UDP ports are the node's own.
    var group: Group?

    struct Group: Hashable, Sendable, Codable {
        var address: IPAddress
        var timeToLive: UInt8?
    }

    /// The address that packets to this place are sent to.
    var address: IPAddress { group?.address ?? attachment.address }

    /// As a description has it.
    var mediaPlace: MediaPlace {
        MediaPlace(
            address, udpPort: udpPort, rtcpUDPPort: rtcpUDPPort, allowsMultiplexing: group == nil,
            ttl: group?.timeToLive)
    }

    /// The UDP ports that it takes.
    var udpPlaces: [UDPPlace] {
        if group != nil { return [] }
        return [udpPort, rtcpUDPPort].map {
            UDPPlace(address: attachment.address, udpPort: $0, port: attachment.port)
        }
    }
}
