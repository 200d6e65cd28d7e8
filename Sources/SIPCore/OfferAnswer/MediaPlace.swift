// Place at which this node receives one medium on one side.

public import RTPWire

/// The values of a rewritten `m=` line and its `c=` and `a=rtcp`.
public struct MediaPlace: Hashable, Sendable {
    public var address: IPAddress
    /// UDP port of RTP.
    public var udpPort: UInt16
    /// UDP port of RTCP; the same as `udpPort` where RTP and RTCP may share one and nothing else is offered.
    public var rtcpUDPPort: UInt16
    /// True if `a=rtcp-mux` is allowed.
    public var allowsMultiplexing: Bool
    /// The time to live, where the address is an IPv4 group.
    public var ttl: UInt8?

    /// - Parameter rtcpUDPPort: nil for the next one.
    public init(
        _ address: IPAddress, udpPort: UInt16, rtcpUDPPort: UInt16? = nil, allowsMultiplexing: Bool = true,
        ttl: UInt8? = nil
    ) {
        self.ttl = ttl
        self.address = address
        self.udpPort = udpPort
        self.rtcpUDPPort = rtcpUDPPort ?? (udpPort < .max ? udpPort + 1 : udpPort)
        self.allowsMultiplexing = allowsMultiplexing
    }
}
