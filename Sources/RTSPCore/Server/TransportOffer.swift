// Transports that the node offers for one stream of one client, and the choice from those of the client.

public import RTPWire

/// The transports that a SETUP may agree on (RFC 2326 section 12.39).
public struct TransportOffer {
    /// A group of the node.
    public struct Multicast: Hashable, Sendable {
        public var group: IPAddress
        /// The even UDP port of RTP.
        public var udpPort: UInt16
        public var timeToLive: UInt8

        public init(group: IPAddress, udpPort: UInt16, timeToLive: UInt8) {
            self.group = group
            self.udpPort = udpPort
            self.timeToLive = timeToLive
        }
    }

    /// The address that the request came from, and that packets go to if the client does not name a destination.
    public var peer: IPAddress
    /// True if the client sends (RECORD) rather than receives.
    public var isRecording = false
    /// True if UDP unicast is offered.
    public var hasUDP = false
    /// The reason for which UDP unicast and multicast are not offered, for the refusal.
    public var whyNoUDP = "UDP is not offered"
    public var whyNoMulticast = "multicast is not offered"
    public var whyNoInterleaved = "interleaved is not offered"
    /// The channels that other streams on the connection have; nil: no interleaved.
    public var usedChannels: Set<UInt8>?
    public var multicast: Multicast?
    /// True if media may be sent to an address other than the peer's.
    public var mayUse: (_ destination: IPAddress) -> Bool = { _ in false }
    /// True if another session receives at this address and UDP port.
    public var isTaken: (_ destination: IPAddress, _ udpPort: UInt16) -> Bool = { _, _ in false }

    public init(peer: IPAddress) { self.peer = peer }

    /// Offers nothing by which packets would leave in clear: interleaved on a TLS connection stays.
    public mutating func withholdClear(isSecure: Bool) {
        let reason = "the stream is encrypted, and leaves the node inside TLS only (rtsps, interleaved)"
        (hasUDP, whyNoUDP) = (false, reason)
        (multicast, whyNoMulticast) = (nil, reason)
        if !isSecure { (usedChannels, whyNoInterleaved) = (nil, reason) }
    }

    /// The first of the client's alternatives that is acceptable, or the refusal: 400 without a Transport header, 403 and 462 for a
    /// destination, 461 for everything else.
    public func choose(from headers: RTSPHeaders) throws(RTSPRefusal) -> TransportChoice {
        guard let field = headers["Transport"] else { throw RTSPRefusal(.badRequest, "SETUP without Transport") }
        guard let header = TransportHeader(headers) else {
            throw RTSPRefusal(.unsupportedTransport, "no transport in '\(field.prefix(200))'")
        }
        var refusals: [RTSPRefusal] = []
        for specification in header.specifications {
            do throws(RTSPRefusal) { return try choice(specification) } catch { refusals.append(error) }
        }
        // That a destination is not allowed says more than that the other ways are not there.
        let told = refusals.first { $0.response.status != .unsupportedTransport }
        throw RTSPRefusal(
            told?.response.status ?? .unsupportedTransport, refusals.map(\.reason).joined(separator: "; "))
    }

    private func choice(_ wanted: TransportSpecification) throws(RTSPRefusal) -> TransportChoice {
        func unsupported(_ reason: String) -> RTSPRefusal { RTSPRefusal(.unsupportedTransport, reason) }
        guard wanted.profile == .avp || wanted.profile == .avpf else {
            throw unsupported("profile \(wanted.profile) is not offered")
        }
        guard isRecording ? wanted.isRecord || wanted.modes.isEmpty : wanted.isPlay else {
            throw unsupported("the mode is not \(isRecording ? "RECORD" : "PLAY")")
        }
        if let unreadable = wanted.unreadable { throw unsupported("'\(unreadable.prefix(100))' cannot be read") }
        var answer = TransportSpecification(profile: wanted.profile, modes: wanted.modes)
        if wanted.isMulticast {
            guard let multicast, !isRecording else { throw unsupported(whyNoMulticast) }
            guard wanted.destination == nil || wanted.destinationAddress == multicast.group else {
                throw unsupported("the group is the node's to choose")
            }
            answer.delivery = .multicast
            answer.destination = "\(multicast.group)"
            answer.multicastUDPPorts = .init(multicast.udpPort, multicast.udpPort + 1)
            answer.timeToLive = multicast.timeToLive
            return TransportChoice(
                .multicast(
                    group: multicast.group, udpPort: multicast.udpPort, timeToLive: multicast.timeToLive),
                answer: answer)
        }
        answer.delivery = .unicast
        if wanted.lowerTransport == .tcp || wanted.interleaved != nil {
            let (rtp, rtcp) = try channels(wanted.interleaved)
            answer.lowerTransport = .tcp
            answer.interleaved = .init(rtp, rtcp)
            return TransportChoice(.interleaved(rtp: rtp, rtcp: rtcp), answer: answer)
        }
        guard hasUDP else { throw unsupported(whyNoUDP) }
        guard let ports = wanted.clientUDPPorts, ports.rtp > 0, let rtcp = ports.rtcp, rtcp > 0 else {
            throw unsupported("client_port is missing or no pair of UDP ports")
        }
        let address = try destination(wanted)
        guard isRecording || !isTaken(address, ports.rtp) && !isTaken(address, rtcp) else {
            throw unsupported("another session receives at \(address.bracketed):\(ports)")
        }
        answer.destination = wanted.destinationAddress?.description
        answer.clientUDPPorts = ports
        return TransportChoice(
            .udp(address: address, rtpUDPPort: ports.rtp, rtcpUDPPort: rtcp), answer: answer)
    }

    /// The client's channels if it names them, else the first free ones.
    private func channels(_ wanted: TransportSpecification.Pair<UInt8>?) throws(RTSPRefusal) -> (UInt8, UInt8) {
        guard let usedChannels else { throw RTSPRefusal(.unsupportedTransport, whyNoInterleaved) }
        guard let wanted else {
            for rtp in stride(from: UInt8(0), through: 254, by: 2)
            where usedChannels.isDisjoint(with: [rtp, rtp + 1]) { return (rtp, rtp + 1) }
            throw RTSPRefusal(.unsupportedTransport, "all channels of the connection are used")
        }
        guard let rtcp = wanted.rtcp, rtcp != wanted.rtp else {
            throw RTSPRefusal(.unsupportedTransport, "interleaved=\(wanted) has no channel for RTCP")
        }
        guard usedChannels.isDisjoint(with: [wanted.rtp, rtcp]) else {
            throw RTSPRefusal(.unsupportedTransport, "interleaved=\(wanted): another stream of the connection has it")
        }
        return (wanted.rtp, rtcp)
    }

    /// The address that UDP packets go to: the peer's, unless it named another address and may use that one.
    private func destination(_ wanted: TransportSpecification) throws(RTSPRefusal) -> IPAddress {
        guard let text = wanted.destination, !text.isEmpty else { return peer }
        guard let address = wanted.destinationAddress else {
            throw RTSPRefusal(.destinationUnreachable, "destination=\(text) is no address")
        }
        guard address == peer || mayUse(address) else {
            throw RTSPRefusal(
                .forbidden, "destination=\(address) is not the requester \(peer), and no network that it may name")
        }
        return address
    }
}
