// Offers and answers of a call.

import AgentSupport
import Logging
import RTPWire
import Routing
import SDP
public import SIPCore

extension CallMedia {
    // MARK: Offers

    /// A side offers.
    ///
    /// - Parameters:
    ///   - body: The session description.
    ///   - branch: The branch that the offer is for; nil for the caller's in its first INVITE, which all branches get.
    /// - Returns: Whether it changes anything. Of an offer that changes nothing the last answer may be given again,
    ///   `lastDescription(to:on:)`, after `withdrawOffer(on:)`.
    /// - Throws: 400 for a body that is not a session description, 488 with a Warning for one that cannot be relayed.
    @discardableResult
    public func receiveOffer(
        _ body: [UInt8], from side: SIPSide, on branch: MediaBranch? = nil
    ) throws(SIPRefusal) -> OfferAnswer.Offer {
        let description = try parse(body)
        guard let branch else {
            try check(description, from: caller)
            guard description.media.count <= context.policy.maximumMedia else {
                throw refusal(
                    OfferAnswerError(.mediaTypeNotAvailable, "more than \(context.policy.maximumMedia) media"))
            }
            callerOffer = description
            for branch in branches.keys { _ = try receive(description, from: .caller, on: branch) }
            return .changed
        }
        guard let peer = peer(side, on: branch) else { throw Self.noBranch }
        try check(description, from: peer)
        return try receive(description, from: side, on: branch)
    }

    private func receive(
        _ offer: SessionDescription, from side: SIPSide, on branch: MediaBranch
    ) throws(SIPRefusal) -> OfferAnswer.Offer {
        guard var media = branches[branch] else { throw Self.noBranch }
        do throws(OfferAnswerError) {
            let result = try media.negotiation.receiveOffer(offer, from: side)
            branches[branch] = media
            return result
        } catch {
            throw refusal(error)
        }
    }

    /// The offer of the other side, as this side is to get it. Its UDP ports on this node are reserved when it returns.
    ///
    /// - Throws: 488 with a Warning where no medium of it can be relayed, 503 where this node has no UDP ports left.
    public func offer(to side: SIPSide, on branch: MediaBranch) async throws(SIPRefusal) -> [UInt8] {
        try await inTurn { () async throws(SIPRefusal) in
            guard var media = branches[branch], let offer = media.negotiation.pendingOffer(from: side.other) else {
                throw Self.noBranch
            }
            let security = security(media)
            let allowsKeys = security != nil || caller.isSecure && media.callee.isSecure
            var places: [Int: LocalPlace] = [:]
            var problem: OfferAnswerError?
            for (index, medium) in offer.media.enumerated() where medium.udpPort != 0 {
                let refused =
                    MediaRules.refusal(of: medium, in: offer, allowsKeys: allowsKeys)
                    ?? security?.refusal(
                        of: index, in: offer, from: side.other, agreed: media.negotiation.agreement(side.other),
                        agreedWithOther: media.negotiation.agreement(side))
                if let refused {
                    problem = problem ?? refused
                    continue
                }
                places[index] = try await place(of: index, on: side, of: branch, towards: nil)
            }
            if places.isEmpty, let problem {
                branches[branch]?.negotiation.withdraw()
                throw refusal(problem)
            }
            let address = try await localAddress(side, on: branch)
            do throws(OfferAnswerError) {
                let description = try media.negotiation.makeOffer(
                    security?.offer(offer, to: side, agreed: media.negotiation.agreement(side)), to: side,
                    places: offer.media.indices.map { places[$0] }, at: address, allowsKeys: allowsKeys)
                media.pendingPlaces = places
                if side == .callee, chosen == nil {
                    media.offered = .init(negotiation: media.negotiation, places: places)
                }
                branches[branch] = media
                return description.bytes
            } catch {
                branches[branch]?.negotiation.withdraw()
                throw refusal(error)
            }
        }
    }

    /// An offer was refused, or its transaction has failed: what was agreed before, and its media, stay as they are.
    public func withdrawOffer(on branch: MediaBranch) {
        guard var media = branches[branch] else { return }
        media.negotiation.withdraw()
        media.pendingPlaces = [:]
        branches[branch] = media
        Task { await self.trimInTurn(branch) }
    }

    private func trimInTurn(_ branch: MediaBranch) async {
        await turnstile.enter()
        if !hasEnded { await trim(branch) }
        turnstile.leave()
    }

    // MARK: Answers

    /// A side answers the offer that it was given. Media pass as agreed when it returns, if the branch has the caller's media: it is the
    /// first that has answered, or the chosen one.
    ///
    /// The same answer again changes nothing. Another answer to the same offer, as a 200 may bring after a 183, takes the place of
    /// the first one until the branch is chosen.
    /// - Returns: The answer for the side that has offered.
    /// - Throws: 400 for a body that is not a session description, 488 with a Warning for one that cannot be relayed or
    ///   does not fit the offer, 503 and 500 where this node cannot carry the media. What was agreed before stays.
    ///
    /// - Parameter isProvisional: true for the answer of a provisional response: where it is of no use the offer stays open for another.
    public func receiveAnswer(
        _ body: [UInt8], from side: SIPSide, on branch: MediaBranch, isProvisional: Bool = false
    ) async throws(SIPRefusal) -> [UInt8] {
        try await inTurn { () async throws(SIPRefusal) in
            guard var media = branches[branch], let peer = peer(side, on: branch) else { throw Self.noBranch }
            let answer = try parse(body)
            let isFirst = media.negotiation.pendingOffer(to: side) != nil
            if let last = media.negotiation.agreement(side.other)?.local, !isFirst,
                chosen == branch || media.negotiation.isRepeated(answer, from: side)
                    || !media.negotiation.mayBeAnsweredAgain(by: side)
            {
                return last.bytes
            }
            try check(answer, from: peer)
            let description: SessionDescription
            let security = security(media)
            let former = media.negotiation.agreement(side.other)
            do throws(OfferAnswerError) {
                try media.negotiation.receiveAnswer(answer, from: side)
                if security != nil, let offered = media.negotiation.agreement(side)?.local {
                    try MediaSecurity.check(answer, to: offered)
                }
                try MediaRules.checkGroups(answer, places: media.pendingPlaces)
            } catch {
                if !isProvisional { branches[branch]?.negotiation.withdraw() }
                throw refusal(error)
            }
            let answerPlaces = media.pendingPlaces.filter { answer.media[$0.key].udpPort != 0 }
            let offerPlaces = try await places(answering: side, answerPlaces, media, branch)
            let address = try await localAddress(side.other, on: branch)
            do throws(OfferAnswerError) {
                var translated: SessionDescription?
                if let security, let offer = media.negotiation.pendingOffer(from: side.other) {
                    translated = try security.answer(
                        answer, to: offer, former: former.map { (offer: $0.remote, answer: $0.local) })
                }
                description = try media.negotiation.makeAnswer(
                    translated, to: side.other, places: answer.media.indices.map { offerPlaces[$0] }, at: address,
                    allowsKeys: security != nil || caller.isSecure && media.callee.isSecure)
            } catch {
                if !isProvisional { branches[branch]?.negotiation.withdraw() }
                throw refusal(error)
            }
            media.inForce = [side: answerPlaces, side.other: offerPlaces]
            if connected == nil || connected == branch {
                try await putInForce(media)
                connected = branch
            }
            if chosen == branch {
                media.negotiation.confirm()
                media.pendingPlaces = [:]
            }
            branches[branch] = media
            await trim(branch)
            return description.bytes
        }
    }

    /// The places at which media of the side that has offered are received, as the answer of `side` has it.
    private func places(
        answering side: SIPSide, _ answerPlaces: [Int: LocalPlace], _ media: BranchMedia, _ branch: MediaBranch
    ) async throws(SIPRefusal) -> [Int: LocalPlace] {
        guard let offer = media.negotiation.pendingOffer(from: side.other) else { return [:] }
        var places: [Int: LocalPlace] = [:]
        for index in answerPlaces.keys.sorted() where offer.media[index].udpPort != 0 {
            places[index] = try await place(of: index, on: side.other, of: branch, towards: offer)
        }
        return places
    }

    /// The description that this node has given to a side last: on offer, or agreed. Nil before the first.
    public func lastDescription(to side: SIPSide, on branch: MediaBranch) -> [UInt8]? {
        branches[branch]?.negotiation.lastDescription(to: side)?.bytes
    }

    /// True if both sides have agreed on media.
    public func hasAgreement(on branch: MediaBranch) -> Bool { branches[branch]?.negotiation.isAgreed ?? false }

    /// True if an offer of a side has no answer yet.
    public func hasPendingOffer(from side: SIPSide, on branch: MediaBranch) -> Bool {
        branches[branch]?.negotiation.pendingOffer(from: side) != nil
    }

    // MARK: Places

    /// The place at which this node receives a medium on a side: as before where that still fits, else at new UDP
    /// ports, or in a group.
    ///
    /// - Parameter description: What the side's peer has described; nil where it is to answer.
    private func place(
        of index: Int, on side: SIPSide, of branch: MediaBranch, towards description: SessionDescription?
    ) async throws(SIPRefusal) -> LocalPlace {
        guard let peer = peer(side, on: branch), let places = places(side, on: branch) else { throw Self.noBranch }
        let known = branches[branch]?.inForce[side]?[index] ?? (side == .caller ? callerPlaceOfMedium[index] : nil)
        do throws(RoutingError) {
            if let description, let group = MediaRules.group(of: description.media[index], in: description) {
                return try await groupPlace(group, description.media[index], in: description, peer)
            }
            let signalled = description.flatMap { $0.connection(of: $0.media[index])?.ipAddress }
            let remote = signalled.flatMap { $0.isUnspecified || peer.hides($0) ? nil : $0 }
            if let known, description == nil || known.group == nil,
                remote == nil || known.attachment.address.family == remote?.family
            {
                return known
            }
            // The peer's other media may pass elsewhere than its signalling.
            let usual = branches[branch]?.negotiation.agreement(side)?.media.lazy.compactMap(\.remoteAddress)
                .first { !$0.isMulticast && !peer.hides($0) }
            let attachment = try await self.attachment(towards: remote ?? usual ?? peer.signalling)
            let place = try await places.reserve(at: attachment)
            if side == .caller { callerPlaceOfMedium[index] = place }
            return place
        } catch {
            throw refusal(error)
        }
    }

    private func groupPlace(
        _ group: IPAddress, _ medium: MediaDescription, in description: SessionDescription, _ peer: MediaPeer
    ) async throws(RoutingError) -> LocalPlace {
        let attachment = try await attachment(towards: peer.signalling)
        guard attachment.address.family == group.family else {
            throw RoutingError(
                .unavailable,
                "\(group): the peer signals from an address of the other family, and no way to the group is known")
        }
        return LocalPlace(
            attachment: attachment, udpPort: medium.udpPort,
            rtcpUDPPort: medium.rtcp?.udpPort ?? (medium.udpPort < .max ? medium.udpPort + 1 : medium.udpPort),
            group: .init(address: group, timeToLive: description.connection(of: medium)?.ttl))
    }

    /// The attachment that packets of a peer pass; a peer is never this node itself.
    func attachment(towards peer: IPAddress) async throws(RoutingError) -> NetworkAttachment {
        let attachment = try await context.attachment(towards: peer)
        guard !attachment.isLocal else {
            throw RoutingError(.unavailable, "\(peer): is this node itself, and media of calls come from networks")
        }
        return attachment
    }

    private func localAddress(_ side: SIPSide, on branch: MediaBranch) async throws(SIPRefusal) -> IPAddress {
        guard let peer = peer(side, on: branch) else { throw Self.noBranch }
        do {
            return try await attachment(towards: peer.signalling).address
        } catch {
            throw refusal(error)
        }
    }

    // MARK: Refusals

    private func parse(_ body: [UInt8]) throws(SIPRefusal) -> SessionDescription {
        do {
            return try SessionDescription(parsing: body)
        } catch {
            throw SIPRefusal(
                .badRequest,
                headers: OfferAnswerError(.miscellaneous, "session description: \(error)").refusal(agent: context.agent)
                    .headers)
        }
    }

    private func check(_ description: SessionDescription, from peer: MediaPeer) throws(SIPRefusal) {
        do {
            try MediaRules.check(description) { peer.allows($0) || peer.hides($0) }
        } catch {
            throw refusal(error)
        }
    }

    func refusal(_ error: OfferAnswerError) -> SIPRefusal { error.refusal(agent: context.agent) }

    /// The refusal for an error of the fast path.
    func refusal(_ error: RoutingError) -> SIPRefusal {
        context.logger.warning("call \(name): \(error)")
        var refusal = OfferAnswerError(.miscellaneous, error.message).refusal(agent: context.agent)
        switch error.code {
        case .invalid, .unavailable: break
        case .capacity:
            // Calls that end make room (RFC 3261 section 21.5.4).
            refusal.status = .serviceUnavailable
            refusal.headers["Retry-After"] = "10"
        case .notFound, .conflict, .failed: refusal.status = .serverInternalError
        }
        return refusal
    }
}
