// SRTP that ends at this node: descriptions with keys of the one side become descriptions with keys of the other.

import KeyManagement
import SDP
import SIPCore
import SRTPKeys

/// The rules by which the node takes and gives keys (RFC 4568), where SRTP ends at it. Pure.
///
/// Nothing becomes clear by itself: a peer that has offered keys, or has had them, is answered with keys or not at all; only the rule's
/// `MediaProtection` says that the other side is plain.
struct MediaSecurity {
    let protection: MediaProtection
    /// True, for each side, if its signalling hop is TLS.
    let isSecure: [SIPSide: Bool]
    /// Makes new keys.
    let makeKey: (SRTPProfile) -> SRTPKey

    /// The keys of one medium on one side.
    struct Keys: Hashable {
        /// The key that the node encrypts with.
        var own: SRTPKey
        /// The keys that the peer encrypts with.
        var peer: [SRTPKey]
    }

    // MARK: Transports

    /// True if keys in the description protect the medium: SRTP, but not that of DTLS.
    static func isSecured(_ medium: MediaDescription) -> Bool {
        let transport = medium.transport.uppercased()
        return transport == "RTP/SAVP" || transport == "RTP/SAVPF"
    }

    private static func isPlain(_ medium: MediaDescription) -> Bool {
        let transport = medium.transport.uppercased()
        return transport == "RTP/AVP" || transport == "RTP/AVPF"
    }

    private static func transport(of medium: MediaDescription, isSecured: Bool) -> String {
        let hasFeedback = medium.transport.uppercased().hasSuffix("AVPF")
        return "RTP/" + (isSecured ? "S" : "") + (hasFeedback ? "AVPF" : "AVP")
    }

    // MARK: What may not be

    /// The reason for which a medium of an offer of `side` is refused; nil where it is not.
    ///
    /// - Parameter agreed: what was agreed with that side before.
    func refusal(
        of index: Int, in offer: SessionDescription, from side: SIPSide, agreed: OfferAnswer.Agreement?,
        agreedWithOther: OfferAnswer.Agreement?
    ) -> OfferAnswerError? {
        let medium = offer.media[index]
        guard medium.isRTP else { return nil }
        func refused(_ reason: String) -> OfferAnswerError {
            OfferAnswerError(.incompatibleMediaFormat, "\(medium.transport): \(reason)")
        }
        let isSecured = Self.isSecured(medium)
        guard isSecured || Self.isPlain(medium) else {
            return refused("SRTP ends at this node with keys in the description (RFC 4568) only")
        }
        if isSecured {
            guard isSecure[side] == true else { return refused("keys are taken over TLS only") }
            do {
                _ = try CryptoNegotiation.choose(
                    from: medium.attributes(named: "crypto"), suites: SRTPProfile.allCases)
            } catch {
                return refused("\(error)")
            }
        } else if Self.wasSecured(index, agreed) {
            return refused("this medium was encrypted, and stays so")
        } else if protection == .required, side == .callee {
            return refused("media are taken encrypted only")
        }
        if protects(index, isOffered: isSecured, towards: side.other, agreed: agreedWithOther),
            isSecure[side.other] != true
        {
            return refused("the other side would have to be encrypted, and its keys pass over TLS only")
        }
        return nil
    }

    private static func wasSecured(_ index: Int, _ agreed: OfferAnswer.Agreement?) -> Bool {
        guard let agreed, agreed.media.indices.contains(index), agreed.media[index].isActive else { return false }
        return isSecured(agreed.local.media[index])
    }

    /// True if a side is offered SRTP: as before where there is a before.
    private func protects(
        _ index: Int, isOffered: Bool, towards side: SIPSide, agreed: OfferAnswer.Agreement?
    ) -> Bool {
        if let agreed, agreed.media.indices.contains(index), agreed.media[index].isActive {
            return Self.isSecured(agreed.local.media[index])
        }
        switch (protection, side) {
        case (.required, .callee): return true
        case (.off, .callee): return false
        // The callee has offered, and the caller has said nothing: encrypted as far as keys may pass.
        case (.required, .caller): return isOffered && isSecure[.caller] == true
        case (.off, .caller), (.offered, _), (.relay, _): return isOffered
        }
    }

    // MARK: Descriptions

    /// An offer of the other side as `side` is to get it: with SRTP and keys of this node's own, or without.
    ///
    /// - Parameter agreed: what was agreed with `side` before: its keys stay.
    func offer(
        _ offer: SessionDescription, to side: SIPSide, agreed: OfferAnswer.Agreement?
    ) -> SessionDescription {
        var result = offer
        result.lines.removeAll(where: Self.isKey)
        for index in offer.media.indices {
            let medium = offer.media[index]
            let isSecured = Self.isSecured(medium)
            guard medium.udpPort != 0, isSecured || Self.isPlain(medium) else { continue }
            result.media[index].lines.removeAll(where: Self.isKey)
            let protects = protects(index, isOffered: isSecured, towards: side, agreed: agreed)
            result.media[index].transport = Self.transport(of: medium, isSecured: protects)
            guard protects else { continue }
            for line in Self.agreedLine(index, agreed).map({ [$0] }) ?? newLines() {
                result.media[index].addAttribute("crypto", line)
            }
        }
        return result
    }

    private func newLines() -> [String] {
        CryptoNegotiation.offer(suites: SRTPProfile.preferred, key: makeKey).map(\.value)
    }

    /// Throws unless the answer of a side takes one of the keys' suites that this node has offered it, with a key of its own.
    static func check(_ answer: SessionDescription, to offer: SessionDescription) throws(OfferAnswerError) {
        for (index, medium) in answer.media.enumerated()
        where offer.media.indices.contains(index) && medium.udpPort != 0 && isSecured(offer.media[index]) {
            do throws(KeyManagementError) {
                _ = try CryptoNegotiation.accept(
                    answer: medium.attributes(named: "crypto"), to: offered(offer.media[index]))
            } catch {
                throw OfferAnswerError(.incompatibleMediaFormat, "\(medium.transport): \(error)")
            }
        }
    }

    private static func offered(_ medium: MediaDescription) -> [CryptoAttribute] {
        medium.attributes(named: "crypto").compactMap { try? CryptoAttribute($0) }
    }

    /// An answer of the other side as the side that has made `offer` is to get it.
    ///
    /// - Parameters:
    ///   - former: what that side was answered last, and the offer that it had made then: as long as its key is the same, so is the
    ///     node's.
    func answer(
        _ answer: SessionDescription, to offer: SessionDescription,
        former: (offer: SessionDescription, answer: SessionDescription)?
    ) throws(OfferAnswerError) -> SessionDescription {
        var result = answer
        result.lines.removeAll(where: Self.isKey)
        for index in answer.media.indices where offer.media.indices.contains(index) {
            let offered = offer.media[index]
            let isSecured = Self.isSecured(offered)
            guard isSecured || Self.isPlain(offered) else { continue }
            result.media[index].lines.removeAll(where: Self.isKey)
            result.media[index].transport = offered.transport
            guard isSecured, answer.media[index].udpPort != 0 else { continue }
            let chosen: CryptoNegotiation.Agreement
            do throws(KeyManagementError) {
                chosen = try CryptoNegotiation.choose(
                    from: offered.attributes(named: "crypto"), suites: SRTPProfile.allCases)
            } catch {
                throw OfferAnswerError(.incompatibleMediaFormat, "\(offered.transport): \(error)")
            }
            let own = Self.formerKey(index, chosen, former) ?? makeKey(chosen.suite)
            result.media[index].addAttribute("crypto", CryptoNegotiation.answer(to: chosen, key: own).value)
        }
        return result
    }

    /// The key that the node has answered the same key with before.
    private static func formerKey(
        _ index: Int, _ chosen: CryptoNegotiation.Agreement,
        _ former: (offer: SessionDescription, answer: SessionDescription)?
    ) -> SRTPKey? {
        guard let former, former.offer.media.indices.contains(index), former.answer.media.indices.contains(index),
            let keys = keys(local: former.answer.media[index], remote: former.offer.media[index]),
            keys.peer == chosen.peerKeys, keys.own.profile == chosen.suite
        else { return nil }
        return keys.own
    }

    // MARK: Keys

    /// The keys of a medium that local and remote description have agreed on; nil where it has none.
    static func keys(local: MediaDescription, remote: MediaDescription) -> Keys? {
        guard local.udpPort != 0, remote.udpPort != 0, isSecured(local), isSecured(remote) else { return nil }
        let own = offered(local)
        let theirs = offered(remote)
        // The answer has one, and the offer one of the same tag.
        guard let tag = (own.count == 1 ? own : theirs).first?.tag, let mine = own.first(where: { $0.tag == tag }),
            let peer = theirs.first(where: { $0.tag == tag }), mine.suite == peer.suite,
            let ownKey = try? mine.masterKeys().first, let peerKeys = try? peer.masterKeys()
        else { return nil }
        return Keys(own: ownKey, peer: peerKeys)
    }

    private static func agreedLine(_ index: Int, _ agreed: OfferAnswer.Agreement?) -> String? {
        guard let agreed, agreed.media.indices.contains(index),
            let keys = keys(local: agreed.local.media[index], remote: agreed.remote.media[index]),
            let line = offered(agreed.local.media[index]).first(where: { (try? $0.masterKeys().first) == keys.own })
        else { return nil }
        return line.value
    }

    private static func isKey(_ line: SDPLine) -> Bool {
        guard let name = line.attribute?.name.lowercased() else { return line.type == "k" }
        return ["crypto", "fingerprint", "setup", "key-mgmt", "tls-id"].contains(name)
    }
}
