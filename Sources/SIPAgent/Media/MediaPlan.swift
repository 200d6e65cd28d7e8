// From what was negotiated to routes of the fast path.

import RTPWire
import Routing
import SDP
import SIPCore

/// The packets of a call that a route carries.
struct StreamKey: Hashable, Sendable, Codable, Comparable {
    /// The place of the `m=` line, from 0.
    var index: Int
    /// The side whose packets they are.
    var side: SIPSide
    /// True if they are RTCP on a UDP port of its own.
    var isRTCP: Bool

    static func < (a: StreamKey, b: StreamKey) -> Bool {
        (a.index, a.side == .caller ? 0 : 1, a.isRTCP ? 1 : 0) < (b.index, b.side == .caller ? 0 : 1, b.isRTCP ? 1 : 0)
    }
}

/// An address with a UDP port.
struct MediaEndpoint: Hashable, Sendable, Codable {
    var address: IPAddress
    var udpPort: UInt16
}

/// A route as it should be.
struct PlannedStream: Hashable, Sendable {
    /// The source of the packets.
    var source: SourceSpecification
    /// The other source that they may come from, until a source is learned.
    var alternative: SourceSpecification?
    /// True if the source is yet to be learned: the first packet of `source` or `alternative` decides.
    var learns: Bool
    var payload: RouteSpecification.Payload
    var clockRate: UInt32?
    /// The legs that they go to.
    var legs: [LegSpecification]
    /// The payload types that the peer may send.
    var payloadTypes: [UInt8]
    /// True if there should be packets: RTP that its peer may send.
    var isExpected: Bool
}

/// Makes the routes of a call from what both sides have agreed on. Pure.
struct MediaPlan {
    /// One side of the call.
    struct Side {
        var agreement: OfferAnswer.Agreement
        var places: [Int: LocalPlace]
        /// The ports that lead to the peer's addresses.
        var attachments: [IPAddress: NetworkAttachment]
        /// The addresses that the peer names and nothing is sent to: it is behind a NAT.
        var hidden: Set<IPAddress> = []
        var signalling: IPAddress
        var sources: MediaSources
        /// The endpoints that the peer's packets have been found to come from.
        var learned: [StreamKey: MediaEndpoint]
        /// The sources that they came from as far as was agreed before: for a peer that does not say it now.
        var earlier: [StreamKey: SourceSpecification]
        /// The keys of its media, by place, where SRTP ends at this node.
        var keys: [Int: MediaSecurity.Keys] = [:]
    }

    let sides: [SIPSide: Side]
    /// True if SRTP ends at this node, and the beginning of the names of keys.
    var endsSRTP = false
    var prefix = ""

    /// All routes of the call.
    var streams: [StreamKey: PlannedStream] {
        var streams: [StreamKey: PlannedStream] = [:]
        let count = SIPSide.allCases.compactMap { sides[$0]?.agreement.media.count }.min() ?? 0
        for index in 0..<count {
            for side in SIPSide.allCases {
                guard let from = sides[side], let to = sides[side.other] else { continue }
                Flow(index: index, side: side, from: from, to: to, endsSRTP: endsSRTP, prefix: prefix)?
                    .add(to: &streams)
            }
        }
        return streams
    }

    /// The name of a peer's keys, or of the node's own towards it.
    static func keyName(_ prefix: String, _ index: Int, _ side: SIPSide, isReceiving: Bool) -> String {
        "\(prefix)\(index).\(side.rawValue).\(isReceiving ? "receive" : "send")"
    }

    /// The addresses that packets are sent to: their ports must be known.
    static func destinations(of agreement: OfferAnswer.Agreement) -> Set<IPAddress> {
        Set(agreement.media.flatMap { [$0.remoteAddress, $0.remoteRTCPAddress].compactMap { $0 } })
    }
}

/// The packets of one medium in one direction.
private struct Flow {
    let index: Int
    let side: SIPSide
    let from: MediaPlan.Side
    let to: MediaPlan.Side
    let source: NegotiatedMedium
    let sink: NegotiatedMedium
    let sourcePlace: LocalPlace
    let sinkPlace: LocalPlace
    let carriage: MediaRules.Carriage
    let prefix: String

    /// Nil for a medium that is not in use.
    init?(
        index: Int, side: SIPSide, from: MediaPlan.Side, to: MediaPlan.Side, endsSRTP: Bool, prefix: String
    ) {
        let description = from.agreement.remote.media[index]
        source = from.agreement.media[index]
        sink = to.agreement.media[index]
        guard source.isActive, sink.isActive, let sourcePlace = from.places[index], let sinkPlace = to.places[index],
            let carriage = MediaRules.carriage(of: description)
        else { return nil }
        // Without its keys an encrypted side gets nothing, and nothing is taken from it.
        if endsSRTP {
            for end in [from, to] where MediaSecurity.isSecured(end.agreement.remote.media[index]) {
                guard end.keys[index] != nil else { return nil }
            }
        }
        self.prefix = prefix
        self.index = index
        self.side = side
        self.from = from
        self.to = to
        self.sourcePlace = sourcePlace
        self.sinkPlace = sinkPlace
        self.carriage = endsSRTP && carriage == .securedRTP ? .rtp : carriage
    }

    /// True if media pass: the source may send, and the sink wants to receive.
    private var passes: Bool { source.receives && sink.sends }

    /// True if a group is on one of the sides: there, RTCP passes the way that media do, and nothing comes back.
    private var hasGroup: Bool { sourcePlace.group != nil || sinkPlace.group != nil }

    private var passesRTCP: Bool { carriage != .datagrams && !sink.isSilent && (passes || !hasGroup) }

    func add(to streams: inout [StreamKey: PlannedStream]) {
        var legs: [LegSpecification] = []
        let isShared = source.isMultiplexed
        if passes, let leg = leg(isRTCP: false) { legs.append(leg) }
        if isShared, passesRTCP, let leg = leg(isRTCP: true) {
            if legs.first == leg {
                // Both go to one place: one leg for all.
            } else if carriage == .rtp {
                if !legs.isEmpty { legs[0].packets = .rtp }
                var leg = leg
                leg.packets = .rtcp
                legs.append(leg)
            }
        }
        streams[key(isRTCP: false)] = stream(isRTCP: false, legs: legs)
        guard !isShared, carriage != .datagrams else { return }
        streams[key(isRTCP: true)] = stream(
            isRTCP: true, legs: passesRTCP ? [leg(isRTCP: true)].compactMap { $0 } : [])
    }

    private func key(isRTCP: Bool) -> StreamKey { StreamKey(index: index, side: side, isRTCP: isRTCP) }

    private func stream(isRTCP: Bool, legs: [LegSpecification]) -> PlannedStream {
        let medium = from.agreement.remote.media[index]
        let payload: RouteSpecification.Payload =
            switch carriage {
            case .rtp: isRTCP ? .rtcp : .rtp
            // Encrypted RTCP has a tag at its end, and DTLS is neither.
            case .securedRTP: isRTCP || source.isMultiplexed ? .raw : .rtp
            case .datagrams: .raw
            }
        let origin = origin(isRTCP: isRTCP)
        return PlannedStream(
            source: origin.source, alternative: origin.alternative, learns: origin.learns, payload: payload,
            clockRate: payload == .rtp ? medium.clockRate : nil, legs: legs,
            payloadTypes: isRTCP ? [] : source.receivedPayloadTypes, isExpected: !isRTCP && source.receives)
    }

    // MARK: Where packets come from

    private struct Origin {
        var source: SourceSpecification
        var alternative: SourceSpecification?
        var learns = false
    }

    /// The route's source, and what else may be one.
    private func origin(isRTCP: Bool) -> Origin {
        let place = sourcePlace
        let remote = isRTCP ? source.remoteRTCPAddress : source.remoteAddress
        let udpPort = isRTCP ? source.remoteRTCPUDPPort : source.remoteUDPPort
        let ingress = remote.flatMap { place.group == nil ? from.attachments[$0]?.port : nil } ?? place.attachment.port
        func specification(_ address: IPAddress?, _ udpPort: UInt16?) -> SourceSpecification {
            SourceSpecification(
                address: place.address, udpPort: isRTCP ? place.rtcpUDPPort : place.udpPort, port: ingress,
                source: address, sourceUDPPort: udpPort,
                srtp: from.keys[index].map { _ in
                    KeyReference(key: MediaPlan.keyName(prefix, index, side, isReceiving: true))
                })
        }
        if let group = place.group {
            let description = from.agreement.remote
            let sender = MediaRules.source(of: group.address, for: description.media[index], in: description)
            return Origin(source: specification(sender, nil))
        }
        if let learned = from.learned[key(isRTCP: isRTCP)] {
            return Origin(source: specification(learned.address, learned.udpPort))
        }
        guard let remote else {
            // A peer that holds as RFC 2543 did says nothing of where it sends from.
            return Origin(source: from.earlier[key(isRTCP: isRTCP)] ?? specification(from.signalling, nil))
        }
        switch from.sources {
        case .strict: return Origin(source: specification(remote, udpPort))
        case .address: return Origin(source: specification(remote, nil))
        case .learn:
            if from.hidden.contains(remote) {
                return Origin(source: specification(from.signalling, nil), learns: true)
            }
            guard remote.family == from.signalling.family else { return Origin(source: specification(remote, udpPort)) }
            if remote == from.signalling { return Origin(source: specification(remote, nil), learns: true) }
            return Origin(
                source: specification(remote, udpPort), alternative: specification(from.signalling, nil), learns: true)
        }
    }

    // MARK: Where they go

    private func leg(isRTCP: Bool) -> LegSpecification? {
        let onRTCPPort = isRTCP && !sink.isMultiplexed
        let key = StreamKey(index: index, side: side.other, isRTCP: onRTCPPort)
        let signalled: MediaEndpoint? =
            if onRTCPPort {
                sink.remoteRTCPAddress.flatMap { address in
                    sink.remoteRTCPUDPPort.map { MediaEndpoint(address: address, udpPort: $0) }
                }
            } else {
                sink.remoteAddress.map { MediaEndpoint(address: $0, udpPort: sink.remoteUDPPort) }
            }
        guard let endpoint = to.learned[key] ?? signalled.flatMap({ to.hidden.contains($0.address) ? nil : $0 })
        else { return nil }
        let attachment = to.attachments[endpoint.address] ?? sinkPlace.attachment
        let local = sinkPlace.attachment.address
        return LegSpecification(
            address: endpoint.address, udpPort: endpoint.udpPort,
            port: sinkPlace.group == nil ? attachment.port : sinkPlace.attachment.port, source: .set(local),
            sourceUDPPort: onRTCPPort ? sinkPlace.rtcpUDPPort : sinkPlace.udpPort,
            timeToLive: sinkPlace.group.map { .set($0.timeToLive ?? Self.groupTimeToLive) } ?? .decrement,
            srtp: to.keys[index].map { _ in
                KeyReference(key: MediaPlan.keyName(prefix, index, side.other, isReceiving: false))
            })
    }

    /// For groups without one: IPv6 has none in descriptions.
    private static let groupTimeToLive: UInt8 = 16
}
