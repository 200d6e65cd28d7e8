// Changes that a proxy makes to a description that it passes on: the sender's transport goes, its own comes in.

public import RTPWire

extension SessionDescription {
    /// The group that one medium is sent to for players that take addresses from the description instead of SETUP.
    public struct MulticastEndpoint: Hashable, Sendable {
        /// The group.
        public var group: IPAddress
        /// The UDP port of RTP; RTCP has the next one.
        public var udpPort: UInt16
        /// The time to live, written for IPv4 groups.
        public var ttl: UInt8
        /// The only source, for a source-specific group; nil: no filter is written.
        public var source: IPAddress?

        public init(group: IPAddress, udpPort: UInt16, ttl: UInt8, source: IPAddress? = nil) {
            self.group = group
            self.udpPort = udpPort
            self.ttl = ttl
            self.source = source
        }
    }

    /// The description without the addresses and UDP ports that its sender uses, as RTSP gives it to clients, who learn theirs from
    /// SETUP (RFC 2326 section C.1.5 and C.1.7): the address of every `c=` becomes `0.0.0.0` or `::`, every UDP port 0, and
    /// `a=rtcp` goes. Everything else, `a=source-filter` and `a=group:DUP` included, stays byte for byte.
    public func strippedOfTransport() -> SessionDescription {
        var result = self
        result.lines = lines.map(\.withoutAddress)
        for index in media.indices {
            result.media[index].lines = media[index].lines.map(\.withoutAddress)
            result.media[index].udpPort = 0
            result.media[index].portCount = 1
            result.media[index].rtcp = nil
        }
        return result
    }

    /// Gives the session and every medium the value of `a=control` (RFC 2326 section C.1.1); `medium` is given its place.
    public mutating func setControls(session: String, media medium: (Int) -> String) {
        setAttribute("control", session)
        for index in media.indices { media[index].setAttribute("control", medium(index)) }
    }

    /// The description of the same media as they are sent to groups: `endpoints` are by the place of their medium; media without one are
    /// refused (UDP port 0). Source filters of the sender go: they name its groups.
    public func multicastDescription(_ endpoints: [Int: MulticastEndpoint]) -> SessionDescription {
        var result = self
        result.connection = nil
        result.sourceFilter = nil
        for index in media.indices {
            result.media[index].rtcp = nil
            result.media[index].sourceFilter = nil
            result.media[index].portCount = 1
            guard let endpoint = endpoints[index] else {
                result.media[index].connection = SDPConnection(IPAddress(0, 0, 0, 0))
                result.media[index].udpPort = 0
                continue
            }
            let connection = SDPConnection(endpoint.group, ttl: endpoint.ttl)
            result.media[index].connection = connection
            result.media[index].udpPort = endpoint.udpPort
            if let source = endpoint.source {
                result.media[index].sourceFilter = SourceFilter(
                    addressType: connection.addressType, destination: connection.address,
                    sources: [source.description])
            }
        }
        return result
    }
}

extension SDPLine {
    /// A `c=` line with the unspecified address of its family; any other line as it is.
    fileprivate var withoutAddress: SDPLine {
        guard type == "c" else { return self }
        let fields = fields
        let isIPv6 = SDPAddressType.isIPv6(
            type: fields.count > 1 ? fields[1] : "", address: fields.count > 2 ? fields[2] : "")
        let stripped = SDPLine("c", isIPv6 ? "IN IP6 ::" : "IN IP4 0.0.0.0")
        return stripped.fields == fields ? self : stripped
    }
}
