// Media that this node relays, and their destinations.

import RTPWire
import SDP
import SIPCore

/// The rules between a description and the fast path. Pure.
enum MediaRules {
    /// The kind of packets that a medium has.
    enum Carriage: Hashable {
        /// RTP and RTCP that the fast path can look into.
        case rtp
        /// RTP whose control packets, or all packets, are not what they seem: SRTP, DTLS.
        case securedRTP
        /// Datagrams of anything else: fax, floor control.
        case datagrams
    }

    /// The carriage of a medium; nil for a medium that is not carried in datagrams.
    static func carriage(of medium: MediaDescription) -> Carriage? {
        let transport = medium.transport.uppercased()
        if transport.contains("TCP") { return nil }
        if medium.isRTP { return transport.contains("SAVP") ? .securedRTP : .rtp }
        return transport.hasPrefix("UDP") ? .datagrams : nil
    }

    /// The reason for which a medium is refused while others of its description may be relayed; nil where it is not.
    static func refusal(
        of medium: MediaDescription, in description: SessionDescription, allowsKeys: Bool
    ) -> OfferAnswerError? {
        guard let carriage = carriage(of: medium) else {
            return OfferAnswerError(.incompatibleMediaFormat, "\(medium.transport): only media over UDP are relayed")
        }
        if carriage == .securedRTP, !allowsKeys {
            return OfferAnswerError(
                .incompatibleMediaFormat, "\(medium.transport): keys are passed on between TLS connections only")
        }
        let connections = description.connections(of: medium)
        if connections.count > 1 || (connections.first?.count ?? 1) > 1 {
            return OfferAnswerError(.miscellaneous, "\(medium.kind): several groups for one medium are not relayed")
        }
        return nil
    }

    /// Throws for an address that no media may be sent to: a description with one is refused whole.
    static func check(
        _ description: SessionDescription, allows: (IPAddress) -> Bool
    ) throws(OfferAnswerError) {
        for medium in description.media where medium.udpPort != 0 && carriage(of: medium) != nil {
            guard let connection = description.connection(of: medium) else {
                throw OfferAnswerError(
                    .sessionDescriptionParameterNotUnderstood, "\(medium.kind): there is no c= for it")
            }
            guard let address = connection.ipAddress else {
                throw OfferAnswerError(
                    .miscellaneous, "c=\(connection.address): is a name; media are sent to addresses only")
            }
            if !address.isUnspecified { try check(address, allows: allows) }
            if let address = medium.rtcp?.address, !address.isUnspecified { try check(address, allows: allows) }
        }
    }

    private static func check(_ address: IPAddress, allows: (IPAddress) -> Bool) throws(OfferAnswerError) {
        guard !address.isLoopback, !address.isLimitedBroadcast, !address.isLinkLocalMulticast, allows(address) else {
            throw OfferAnswerError(.miscellaneous, "\(address): no media may be sent there")
        }
    }

    /// The group that a medium is sent to, or wanted from; nil for unicast.
    static func group(of medium: MediaDescription, in description: SessionDescription) -> IPAddress? {
        description.connection(of: medium)?.ipAddress.flatMap { $0.isMulticast ? $0 : nil }
    }

    /// Throws for an answer that names a group where none was offered (RFC 3264 section 6.2).
    static func checkGroups(
        _ answer: SessionDescription, places: [Int: LocalPlace]
    ) throws(OfferAnswerError) {
        for (index, medium) in answer.media.enumerated() where medium.udpPort != 0 {
            guard let group = group(of: medium, in: answer), places[index]?.group?.address != group else { continue }
            throw OfferAnswerError(.miscellaneous, "\(group): the answer has a group where none was offered")
        }
    }

    /// A description whose groups are one-way, as the other side gets it: a node that took part in a group both ways would hear itself.
    static func oneWayGroups(_ description: SessionDescription) -> SessionDescription {
        var result = description
        for index in description.media.indices {
            let medium = description.media[index]
            guard medium.udpPort != 0, group(of: medium, in: description) != nil,
                description.direction(of: medium) == .sendReceive
            else { continue }
            result.media[index].direction = .sendOnly
        }
        return result
    }

    /// The one source of a group that its filter names (RFC 4570); nil for any.
    static func source(
        of group: IPAddress, for medium: MediaDescription, in description: SessionDescription
    ) -> IPAddress? {
        let filters = description.sourceFilters(of: medium).filter { filter in
            filter.mode == .include && (filter.destination == "*" || IPAddress(filter.destination) == group)
        }
        guard let filter = filters.first, filter.sources.count == 1 else { return nil }
        return IPAddress(filter.sources[0])
    }
}
