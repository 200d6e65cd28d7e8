// Offers and answers between two peers and this node: what a node does with the session descriptions of a call, whatever they are.

import RTPWire
import SDP
import SIPCore

struct OfferAnswerFuzz {
    private static let own = IPAddress(203, 0, 113, 1)
    private static let place = MediaPlace(IPAddress(203, 0, 113, 5), udpPort: 40000)

    /// One side of the call.
    private struct Side {
        var exchange = OfferAnswer(maximumMedia: 8)
        /// Of the descriptions that this side gets.
        var rewriter = SessionRewriter(sessionIdentifier: 7, address: own)
    }

    private var sides = [Side(), Side()]

    /// Descriptions, a zero byte between them: offer, answer, offer, answer. The first byte says who offers, whether keys may pass,
    /// and which media get no place.
    static func run(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        var call = OfferAnswerFuzz()
        var offerer = Int(first & 1)
        let allowsKeys = first & 2 != 0
        var offer: SessionDescription?
        for piece in bytes.dropFirst().split(separator: 0, maxSplits: 8, omittingEmptySubsequences: false) {
            guard let description = try? SessionDescription(parsing: Array(piece)) else {
                call.withdraw()
                offer = nil
                continue
            }
            if offer != nil {
                call.answer(description, to: offerer, allowsKeys: allowsKeys, refused: first >> 2)
                offer = nil
                if first & 0x80 != 0 { offerer = 1 - offerer }
            } else if call.offer(description, from: offerer, allowsKeys: allowsKeys, refused: first >> 2) {
                offer = description
            }
        }
    }

    private mutating func withdraw() {
        for index in sides.indices {
            let before = sides[index].exchange.agreed
            sides[index].exchange.withdraw()
            precondition(sides[index].exchange.agreed == before, "what failed changes nothing")
        }
    }

    /// A peer offers, and the other is offered the same through this node.
    private mutating func offer(
        _ description: SessionDescription, from side: Int, allowsKeys: Bool, refused: UInt8
    ) -> Bool {
        let before = sides.map(\.exchange.agreed)
        do throws(OfferAnswerError) {
            _ = try sides[side].exchange.receiveOffer(description)
            let other = rewrite(description, for: 1 - side, allowsKeys: allowsKeys, refused: refused)
            try sides[1 - side].exchange.sendOffer(other)
            precondition(sides.map(\.exchange.agreed) == before, "an offer alone changes nothing")
            return true
        } catch {
            _ = error.refusal(agent: "node")
            withdraw()
            return false
        }
    }

    /// The other peer answers, and so does this node.
    private mutating func answer(
        _ description: SessionDescription, to side: Int, allowsKeys: Bool, refused: UInt8
    ) {
        let before = sides.map(\.exchange.agreed)
        do throws(OfferAnswerError) {
            let agreement = try sides[1 - side].exchange.receiveAnswer(description)
            check(agreement)
            let answer = rewrite(description, for: side, allowsKeys: allowsKeys, refused: refused)
            check(try sides[side].exchange.sendAnswer(answer))
        } catch {
            precondition(sides[side].exchange.agreed == before[side], "what failed changes nothing")
            withdraw()
        }
    }

    private mutating func rewrite(
        _ description: SessionDescription, for side: Int, allowsKeys: Bool, refused: UInt8
    ) -> SessionDescription {
        let places = description.media.indices.map { $0 < 5 && refused >> $0 & 1 != 0 ? nil : Self.place }
        let before = sides[side].rewriter.last
        let result = sides[side].rewriter.rewrite(description, places: places, allowsKeys: allowsKeys)
        check(result, places: places, allowsKeys: allowsKeys)
        let again = sides[side].rewriter.rewrite(description, places: places, allowsKeys: allowsKeys)
        precondition(again == result, "the same again is the same version")
        let versions = [before, result].map { $0?.origin?.sessionVersion }
        precondition(
            (versions[0] == versions[1]) == (before == result), "a change has a new version, and only a change")
        // The description that is sent is the one that the peer reads.
        let limits = SDPLimits(bytes: 1 << 20, lines: 20_000, media: 128)
        guard let read = try? SessionDescription(parsing: result.bytes, limits: limits) else {
            preconditionFailure("what is written can be read")
        }
        precondition(read.bytes == result.bytes && read.media.count == description.media.count, "it says the same")
        check(read, places: places, allowsKeys: allowsKeys)
        return result
    }

    /// Nothing of the peer's places is left, and nothing that leads around this node.
    private func check(_ description: SessionDescription, places: [MediaPlace?], allowsKeys: Bool) {
        precondition(description.origin?.address == Self.own.description, "o= is this node's")
        for (medium, place) in zip(description.media, places) {
            precondition(medium.attribute("candidate") == nil && medium.attribute("ice-ufrag") == nil, "ICE is gone")
            precondition(allowsKeys || medium.attribute("crypto") == nil, "no keys")
            precondition(!medium.hasAttribute("bundle-only"), "no medium depends on another's place")
            guard medium.udpPort != 0, let place else {
                precondition(medium.udpPort == 0 || place != nil, "a medium without a place is refused")
                precondition(medium.rtcp == nil, "a refused medium has no place for RTCP")
                continue
            }
            precondition(medium.udpPort == place.udpPort, "RTP comes to this node")
            precondition(
                description.connections(of: medium).map(\.ipAddress) == [place.address], "and so do all layers")
            if medium.isRTP {
                precondition(medium.rtcp?.udpPort ?? place.rtcpUDPPort == place.rtcpUDPPort, "RTCP comes to this node")
            }
            precondition(medium.rtcp?.address == nil, "by the same address")
            precondition(description.sourceFilters(of: medium).isEmpty, "from this node")
        }
    }

    private func check(_ agreement: OfferAnswer.Agreement) {
        precondition(agreement.media.count == agreement.local.media.count, "every line is a medium")
        for medium in agreement.media where !medium.isActive || medium.isSilent {
            precondition(!medium.sends, "nothing is sent where nobody receives")
            precondition(medium.remoteAddress == nil && medium.remoteRTCPAddress == nil, "there is no destination")
        }
    }
}
