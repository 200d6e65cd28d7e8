// The state of a session on one side of a call.

public import SDP

/// Offers and answers of one dialog (RFC 3264), as this node exchanges them with one peer.
///
/// A failed re-INVITE leaves what is `agreed` as it was: call `withdraw`.
public struct OfferAnswer: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        case idle
        /// This node has offered, the peer is to answer.
        case offered(SessionDescription)
        /// The peer has offered, this node is to answer.
        case offer(SessionDescription)
    }

    /// The agreement of both sides.
    public struct Agreement: Hashable, Sendable {
        public let local: SessionDescription
        public let remote: SessionDescription
        /// The media, in the order of their `m=` lines.
        public let media: [NegotiatedMedium]
    }

    public private(set) var state = State.idle
    public private(set) var agreed: Agreement?
    private let maximumMedia: Int

    /// - Parameter maximumMedia: how many `m=` lines a peer may send.
    public init(maximumMedia: Int = 32) { self.maximumMedia = maximumMedia }

    /// A session that was agreed on before: what `agreed` was then.
    public init(agreedLocal local: SessionDescription, remote: SessionDescription, maximumMedia: Int = 32) {
        self.maximumMedia = maximumMedia
        if local.media.count == remote.media.count { _ = agree(local: local, remote: remote) }
    }

    /// The meaning of an offer of the peer.
    public enum Offer: Hashable, Sendable {
        /// The same version and the same text as before: nothing changes, the last answer is given again.
        case unchanged
        case changed
    }

    /// The peer offers.
    public mutating func receiveOffer(_ offer: SessionDescription) throws(OfferAnswerError) -> Offer {
        try requireIdle()
        guard offer.media.count <= maximumMedia else {
            throw OfferAnswerError(.mediaTypeNotAvailable, "more than \(maximumMedia) media")
        }
        if let agreed { try Self.check(offer, follows: agreed.remote, agreed.media) }
        let isUnchanged = agreed.map { $0.remote == offer } ?? false
        state = .offer(offer)
        return isUnchanged ? .unchanged : .changed
    }

    /// This node answers the peer's offer.
    public mutating func sendAnswer(_ answer: SessionDescription) throws(OfferAnswerError) -> Agreement {
        guard case .offer(let offer) = state else { throw OfferAnswerError(.miscellaneous, "no offer to answer") }
        try Self.check(answer, answers: offer)
        return agree(local: answer, remote: offer)
    }

    /// This node offers.
    public mutating func sendOffer(_ offer: SessionDescription) throws(OfferAnswerError) {
        try requireIdle()
        if let agreed { try Self.check(offer, follows: agreed.local, agreed.media) }
        state = .offered(offer)
    }

    /// The peer answers this node's offer.
    public mutating func receiveAnswer(_ answer: SessionDescription) throws(OfferAnswerError) -> Agreement {
        guard case .offered(let offer) = state else { throw OfferAnswerError(.miscellaneous, "no offer was sent") }
        do { try Self.check(answer, answers: offer) } catch {
            state = .idle
            throw error
        }
        return agree(local: offer, remote: answer)
    }

    /// The offer was refused, or its transaction has failed: the session stays as it was (RFC 3264 section 8,
    /// RFC 3261 section 14.1).
    public mutating func withdraw() { state = .idle }

    private func requireIdle() throws(OfferAnswerError) {
        if state != .idle { throw OfferAnswerError(.miscellaneous, "an offer has no answer yet") }
    }

    private mutating func agree(local: SessionDescription, remote: SessionDescription) -> Agreement {
        let media = local.media.indices.map { NegotiatedMedium($0, local: local, remote: remote) }
        let agreement = Agreement(local: local, remote: remote, media: media)
        agreed = agreement
        state = .idle
        return agreement
    }

    // MARK: Rules

    /// An answer has the `m=` lines of its offer, in their order (section 6).
    private static func check(
        _ answer: SessionDescription, answers offer: SessionDescription
    ) throws(OfferAnswerError) {
        guard answer.media.count == offer.media.count else {
            throw OfferAnswerError(
                .mediaTypeNotAvailable, "the answer has \(answer.media.count) media, the offer \(offer.media.count)")
        }
        for (index, pair) in zip(answer.media, offer.media).enumerated() {
            guard pair.0.kind == pair.1.kind else {
                throw OfferAnswerError(.mediaTypeNotAvailable, "medium \(index + 1) became \(pair.0.kind)")
            }
            guard pair.1.udpPort != 0 || pair.0.udpPort == 0 || pair.1.hasAttribute("bundle-only") else {
                throw OfferAnswerError(.mediaTypeNotAvailable, "medium \(index + 1) was offered with UDP port 0")
            }
            guard pair.0.udpPort == 0 || pair.0.transport == pair.1.transport else {
                throw OfferAnswerError(.incompatibleMediaFormat, "medium \(index + 1) became \(pair.0.transport)")
            }
        }
    }

    /// A later offer keeps the `m=` lines of the session, and adds only at the end (section 8); a line that either side has
    /// given UDP port 0 may be used again for anything (section 8.1). A medium may become one of another type in its place
    /// (section 8.3.3); within a type payload types keep their meaning (section 8.3.2).
    private static func check(
        _ offer: SessionDescription, follows previous: SessionDescription, _ agreed: [NegotiatedMedium]
    ) throws(OfferAnswerError) {
        guard offer.media.count >= previous.media.count else {
            throw OfferAnswerError(
                .mediaTypeNotAvailable, "the offer has \(offer.media.count) media, fewer than \(previous.media.count)")
        }
        for (index, pair) in zip(offer.media, previous.media).enumerated()
        where pair.0.udpPort != 0 && agreed[index].isActive && pair.0.kind == pair.1.kind {
            for payloadType in pair.0.payloadTypes where pair.1.payloadTypes.contains(payloadType) {
                let maps = (pair.0.rtpMap(payloadType: payloadType), pair.1.rtpMap(payloadType: payloadType))
                guard maps.0 == maps.1 else {
                    throw OfferAnswerError(.incompatibleMediaFormat, "payload type \(payloadType) changed its meaning")
                }
            }
        }
    }
}
