// The descriptions of one branch of a call, on both sides.

import RTPWire
import SDP
import SIPCore

/// Offers and answers that pass through this node between the caller and one callee: the description of one side is rewritten for
/// the other. A value without I/O: places come in, descriptions go out.
struct MediaNegotiation: Hashable, Sendable {
    private var exchanges: [SIPSide: OfferAnswer]
    /// Made with the first description for a side.
    private var rewriters: [SIPSide: SessionRewriter] = [:]
    /// The numbers of the sessions in `o=`.
    private let identifiers: [SIPSide: UInt64]
    /// The state before the last answer: until the call is established, another answer to the same offer may take its place.
    private var beforeAnswer: Before?

    private struct Before: Hashable {
        var exchanges: [SIPSide: OfferAnswer]
    }

    /// - Parameter identifiers: A number for each side's session, unique for this node.
    init(identifiers: [SIPSide: UInt64], maximumMedia: Int) {
        self.identifiers = identifiers
        let exchange = OfferAnswer(maximumMedia: maximumMedia)
        exchanges = [.caller: exchange, .callee: exchange]
    }

    /// Goes on with what an earlier daemon had negotiated; nil where the descriptions do not fit together.
    init?(
        continuing descriptions: [SIPSide: (local: SessionDescription, remote: SessionDescription)], maximumMedia: Int
    ) {
        exchanges = [:]
        identifiers = [:]
        for side in SIPSide.allCases {
            guard let (local, remote) = descriptions[side], let rewriter = SessionRewriter(continuing: local) else {
                return nil
            }
            let exchange = OfferAnswer(agreedLocal: local, remote: remote, maximumMedia: maximumMedia)
            guard exchange.agreed != nil else { return nil }
            exchanges[side] = exchange
            rewriters[side] = rewriter
        }
    }

    /// The agreement with a side.
    func agreement(_ side: SIPSide) -> OfferAnswer.Agreement? { exchanges[side]?.agreed }

    /// True if both sides have agreed on something.
    var isAgreed: Bool { SIPSide.allCases.allSatisfy { agreement($0) != nil } }

    /// The offer of a side that has no answer yet.
    func pendingOffer(from side: SIPSide) -> SessionDescription? {
        if case .offer(let offer) = exchanges[side]?.state { offer } else { nil }
    }

    /// The offer that a side was given and has not answered.
    func pendingOffer(to side: SIPSide) -> SessionDescription? {
        if case .offered(let offer) = exchanges[side]?.state { offer } else { nil }
    }

    /// The description that this node has given to a side last, and that is agreed or on offer.
    func lastDescription(to side: SIPSide) -> SessionDescription? { pendingOffer(to: side) ?? agreement(side)?.local }

    // MARK: Steps

    mutating func receiveOffer(
        _ offer: SessionDescription, from side: SIPSide
    ) throws(OfferAnswerError) -> OfferAnswer.Offer {
        var exchange = exchanges[side, default: OfferAnswer()]
        let result = try exchange.receiveOffer(offer)
        exchanges[side] = exchange
        beforeAnswer = nil
        return result
    }

    /// The pending offer of the other side, as this side is to get it.
    ///
    /// - Parameters:
    ///   - places: One entry for each of its media; nil refuses the medium.
    ///   - address: The node's address towards the side, for `o=`.
    ///   - description: The offer with other keys, where SRTP ends at this node.
    mutating func makeOffer(
        _ description: SessionDescription? = nil, to side: SIPSide, places: [LocalPlace?], at address: IPAddress,
        allowsKeys: Bool
    ) throws(OfferAnswerError) -> SessionDescription {
        guard let offer = pendingOffer(from: side.other) else {
            throw OfferAnswerError(.miscellaneous, "there is no offer to pass on")
        }
        var (exchange, rewriter) = parts(side, address)
        let rewritten = rewriter.rewrite(
            MediaRules.oneWayGroups(description ?? offer), places: places.map { $0?.mediaPlace }, allowsKeys: allowsKeys
        )
        try exchange.sendOffer(rewritten)
        set(side, exchange, rewriter)
        return rewritten
    }

    /// True if an answer says the same as the last one did: 180, 183 and 200 may all bring it.
    func isRepeated(_ answer: SessionDescription, from side: SIPSide) -> Bool {
        pendingOffer(to: side) == nil && agreement(side)?.remote == answer
    }

    /// True if another answer to the offer that was answered last may still come from a side.
    func mayBeAnsweredAgain(by side: SIPSide) -> Bool {
        guard let exchange = beforeAnswer?.exchanges[side] else { return false }
        if case .offered = exchange.state { return true }
        return false
    }

    /// The side has answered.
    mutating func receiveAnswer(_ answer: SessionDescription, from side: SIPSide) throws(OfferAnswerError) {
        if pendingOffer(to: side) == nil, let before = beforeAnswer { exchanges = before.exchanges }
        let before = Before(exchanges: exchanges)
        var exchange = exchanges[side, default: OfferAnswer()]
        do {
            _ = try exchange.receiveAnswer(answer)
        } catch {
            withdraw()
            throw error
        }
        exchanges[side] = exchange
        beforeAnswer = before
    }

    /// The answer of the other side, as this side, which has offered, is to get it. The parameters are those of `makeOffer`.
    mutating func makeAnswer(
        _ description: SessionDescription? = nil, to side: SIPSide, places: [LocalPlace?], at address: IPAddress,
        allowsKeys: Bool
    ) throws(OfferAnswerError) -> SessionDescription {
        guard let answer = agreement(side.other)?.remote else {
            throw OfferAnswerError(.miscellaneous, "there is no answer to pass on")
        }
        var (exchange, rewriter) = parts(side, address)
        var answering = MediaRules.oneWayGroups(description ?? answer)
        if let offer = pendingOffer(from: side) { answering = answering.answering(offer) }
        let rewritten = rewriter.rewrite(
            answering, places: places.map { $0?.mediaPlace },
            allowsKeys: allowsKeys)
        _ = try exchange.sendAnswer(rewritten)
        set(side, exchange, rewriter)
        return rewritten
    }

    /// No other answer to the last offer counts any more.
    mutating func confirm() { beforeAnswer = nil }

    /// An offer came to nothing: what is agreed stays.
    mutating func withdraw() {
        for side in SIPSide.allCases {
            exchanges[side]?.withdraw()
        }
        beforeAnswer = nil
    }

    private func parts(_ side: SIPSide, _ address: IPAddress) -> (OfferAnswer, SessionRewriter) {
        (
            exchanges[side, default: OfferAnswer()],
            rewriters[side]
                ?? SessionRewriter(sessionIdentifier: identifiers[side, default: 0], address: address)
        )
    }

    private mutating func set(_ side: SIPSide, _ exchange: OfferAnswer, _ rewriter: SessionRewriter) {
        exchanges[side] = exchange
        rewriters[side] = rewriter
    }
}
