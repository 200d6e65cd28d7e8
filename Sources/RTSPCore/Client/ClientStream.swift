// One stream of a session with a server, as it was asked for and as it was granted.

public import RTPWire

/// The transport by which the packets of a stream come from a server.
public enum ClientTransport: String, Hashable, Sendable, Codable {
    case udp, multicast, interleaved
}

/// One media description, as the driver of a session wants it.
public struct ClientStreamPlan: Hashable, Sendable {
    /// The value of its `a=control`; nil where it has none.
    public var control: String?
    /// The transports to try, in this order, until the server accepts one.
    public var transports: [ClientTransport]
    /// As its `m=` line has it; `.savp` and `.savpf` over TLS only.
    public var profile: TransportSpecification.Profile
    /// A message of MIKEY in base64, with which SETUP gives the server the client's key (RFC 4567 section 3.2): a secret.
    public var keyManagement: String?

    public init(
        control: String?, transports: [ClientTransport], profile: TransportSpecification.Profile = .avp,
        keyManagement: String? = nil
    ) {
        self.keyManagement = keyManagement
        self.control = control
        self.transports = transports
        self.profile = profile
    }
}

/// A stream that was set up.
public struct ClientStream: Hashable, Sendable, Codable {
    /// The number of its media description, from 0.
    public var index: Int
    /// The URL that SETUP was sent to.
    public var url: String
    public var transport: ClientTransport
    /// The node's even UDP port, of `.udp`.
    public var clientUDPPort: UInt16?
    /// The channels of `.interleaved`.
    public var rtpChannel: UInt8?
    public var rtcpChannel: UInt8?
    /// The server's UDP ports, of `.udp`; the group's, of `.multicast`. Nil where the server does not say, or says 0.
    public var rtpUDPPort: UInt16?
    public var rtcpUDPPort: UInt16?
    /// The group, where the reply names it.
    public var group: IPAddress?
    /// `source`: an address or a host name from which packets come, where it is not the server's own.
    public var source: String?
    /// As announced; what comes may have another.
    public var ssrc: UInt32?
    /// From the PLAY reply.
    public var firstSequence: UInt16?
    public var firstTimestamp: UInt32?

    public init(index: Int, url: String, transport: ClientTransport) {
        self.index = index
        self.url = url
        self.transport = transport
    }
}

extension ClientStream {
    /// The stream that the reply to a SETUP grants. `asked` is the request and supplies everything that the reply
    /// leaves out, even all of it. Nil where it grants something that was not asked for and cannot be used.
    init?(index: Int, url: String, asked: TransportSpecification, reply: TransportSpecification?) {
        self.init(index: index, url: url, transport: .udp)
        let reply = reply ?? asked
        // A stream that was to be encrypted is not taken in clear.
        guard !asked.profile.isSecured || reply.profile.isSecured else { return nil }
        ssrc = reply.ssrc
        source = reply.source
        if reply.interleaved != nil || reply.lowerTransport == .tcp {
            transport = .interleaved
            let standard = TransportSpecification.Pair(UInt8(index * 2), UInt8(index * 2 + 1))
            let channels = reply.interleaved ?? asked.interleaved ?? standard
            guard let rtcp = channels.rtcp, rtcp != channels.rtp else { return nil }
            (rtpChannel, rtcpChannel) = (channels.rtp, rtcp)
            return
        }
        guard asked.lowerTransport == .udp else { return nil }
        // A server may send to a group although unicast was asked for; not the other way round, since nobody reserved UDP ports.
        let named = reply.destinationAddress.flatMap { $0.isMulticast ? $0 : nil }
        if reply.delivery == .multicast || asked.delivery == .multicast {
            guard reply.delivery != .unicast, named != nil || asked.delivery == .multicast else { return nil }
            transport = .multicast
            group = named
            setUDPPorts(reply.multicastUDPPorts ?? reply.serverUDPPorts)
            return
        }
        clientUDPPort = asked.clientUDPPorts?.rtp
        setUDPPorts(reply.serverUDPPorts)
    }

    private mutating func setUDPPorts(_ pair: TransportSpecification.Pair<UInt16>?) {
        func used(_ udpPort: UInt16?) -> UInt16? { udpPort == 0 ? nil : udpPort }
        rtpUDPPort = used(pair?.rtp)
        rtcpUDPPort = used(pair?.second) ?? rtpUDPPort.flatMap { $0 == .max ? nil : $0 + 1 }
    }
}
