// The groups that players may be given.

public import RTPWire
public import Routing

/// A pool of multicast groups (`rtsp: multicast:` of the configuration). Each stream takes one group.
public struct MulticastPool: Hashable, Sendable {
    /// The first group, and how many there are from it on.
    public var first: IPAddress
    public var count: Int
    /// Where they are sent, with the VLAN: `eth1`, `eth1.100`.
    public var port: PortReference
    /// The UDP port of RTP, an even one; RTCP has the next.
    public var udpPort: UInt16
    /// The TTL or hop limit to send with.
    public var timeToLive: UInt8

    public init(first: IPAddress, count: Int, port: PortReference, udpPort: UInt16 = 5004, timeToLive: UInt8 = 16) {
        self.first = first
        self.count = count
        self.port = port
        self.udpPort = udpPort
        self.timeToLive = timeToLive
    }
}
