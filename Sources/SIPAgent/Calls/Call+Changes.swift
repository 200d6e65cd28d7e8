// Changes of a session that is under way: re-INVITE and UPDATE of either side.

import AgentSupport
import RTPWire
import SIPCore

extension Call {
    /// A re-INVITE: passed on with its offer, or without for the other side to offer (RFC 3261 section 14.2).
    func received(invite server: ServerRequest, on side: CallSide) async {
        let request = server.request
        guard state == .answered, let other = other(of: side), let place = side.media else {
            // The INVITE of a dialog that is still early.
            return respond(
                SIPRefusal(.serverInternalError, headers: ["Retry-After": String(context.retryAfter())]), to: server)
        }
        // One whose ACK has not come may not be followed by another.
        if side.success != nil {
            return respond(
                SIPRefusal(.serverInternalError, headers: ["Retry-After": String(context.retryAfter())]), to: server)
        }
        do throws(SIPRefusal) {
            if let policy = context.configuration.sessionTimer { _ = try SessionTimer.answer(request, policy: policy) }
            let description = request.sessionDescription
            if let refusal = side.gate.receiveInvite(
                hasOffer: description != nil, retryAfter: context.retryAfter())
            {
                return respond(refusal, to: server)
            }
            side.invited = server
            context.add(invite: server.id, of: self)
            guard other.gate.mayInvite else { throw SIPRefusal(.requestPending) }
            var body: [UInt8] = []
            if let description {
                if let answer = try unchangedAnswer(to: description, from: side, on: place) {
                    return accept(server, on: side, body: answer)
                }
                body = try await offer(from: side, on: place)
                other.gate.sentOffer()
            }
            other.gate.sentInvite()
            await send(
                .invite, on: other, headers: changeHeaders(other, hasBody: !body.isEmpty), body: body,
                purpose: .change(server, from: side, hasOffer: description != nil))
        } catch {
            if side.invited?.id == server.id {
                side.invited = nil
                side.gate.invitedEnded()
                side.gate.settled()
            }
            respond(error, to: server)
        }
    }

    /// An UPDATE: one with an offer is passed on, by UPDATE or INVITE, and one without refreshes the dialog (RFC 3311 section 5.2).
    func received(update server: ServerRequest, on side: CallSide) async {
        let request = server.request
        do throws(SIPRefusal) {
            if let policy = context.configuration.sessionTimer { _ = try SessionTimer.answer(request, policy: policy) }
            let description = request.sessionDescription
            if let refusal = side.gate.receiveUpdate(
                hasOffer: description != nil, retryAfter: context.retryAfter())
            {
                return respond(refusal, to: server)
            }
            guard let description else { return accept(server, on: side, body: []) }
            await change(server, description, from: side)
        } catch { respond(error, to: server) }
    }

    /// Passes on the offer of an UPDATE or a PRACK.
    func change(_ server: ServerRequest, _ description: [UInt8], from side: CallSide) async {
        side.offered = server
        do throws(SIPRefusal) {
            guard let place = side.media, let other = other(of: side), other.dialog != nil, other.gate.mayOfferUpdate
            else { throw SIPRefusal(.requestPending) }
            if let answer = try unchangedAnswer(to: description, from: side, on: place) {
                side.offered = nil
                return accept(server, on: side, body: answer)
            }
            // Before the answer only an UPDATE can carry an offer.
            guard other.allowsUpdate || (state == .answered && other.gate.mayInvite) else {
                media.withdrawOffer(on: place)
                throw state == .answered
                    ? SIPRefusal(.requestPending)
                    : OfferAnswerError(.miscellaneous, "the other side cannot change the session before the answer")
                        .refusal(agent: context.warningAgent)
            }
            let body = try await offer(from: side, on: place)
            other.gate.sentOffer()
            let method: SIPMethod = other.allowsUpdate ? .update : .invite
            if method == .invite { other.gate.sentInvite() }
            await send(
                method, on: other, headers: changeHeaders(other, hasBody: true), body: body,
                purpose: .change(server, from: side, hasOffer: true))
        } catch {
            side.offered = nil
            side.gate.settled()
            respond(error, to: server)
        }
    }

    /// Takes an offer: the answer where nothing has changed, as for a refresh or a new Contact, and the other side need not know.
    private func unchangedAnswer(
        to description: [UInt8], from side: CallSide, on place: MediaBranch
    ) throws(SIPRefusal) -> [UInt8]? {
        guard case .unchanged = try media.receiveOffer(description, from: side.side, on: place),
            let last = media.lastDescription(to: side.side, on: place)
        else { return nil }
        media.withdrawOffer(on: place)
        return last
    }

    /// The description that the other side is offered of the offer that was taken.
    private func offer(from side: CallSide, on place: MediaBranch) async throws(SIPRefusal) -> [UInt8] {
        do throws(SIPRefusal) { return try await media.offer(to: side.side.other, on: place) } catch {
            media.withdrawOffer(on: place)
            throw error
        }
    }

    /// The fields of an INVITE or UPDATE of this node within a dialog.
    func changeHeaders(_ side: CallSide, hasBody: Bool) -> SIPHeaders {
        var headers = SIPHeaders()
        var extensions = "100rel"
        if let policy = context.configuration.sessionTimer {
            extensions = "100rel, timer"
            // The side that refreshes remains the refresher; in this transaction this node is the client.
            let refresher = side.timer.map { $0.isRefresher ? SessionTimer.Refresher.uac : .uas }
            let fields = SessionTimer.request(policy: policy, minimum: side.minimumInterval, refresher: refresher)
            for field in fields.fields { headers.append(field.name, field.value) }
        }
        headers.append("Supported", extensions)
        if hasBody { headers.append("Content-Type", "application/sdp") }
        return headers
    }

    // MARK: The other side's answer

    /// The final response to what was passed on.
    func changed(
        _ outgoing: OutgoingRequest, _ response: SIPResponse, _ server: ServerRequest, from side: CallSide,
        hasOffer: Bool
    ) async {
        let other = outgoing.side
        let isInvite = outgoing.request.method == .invite
        if response.status.code == 422, let minimum = SessionTimer.minimum(of: response),
            minimum > other.minimumInterval ?? 0
        {
            other.minimumInterval = minimum
            if isInvite { other.inviting = nil }
            await send(
                outgoing.request.method, on: other,
                headers: changeHeaders(other, hasBody: !outgoing.request.body.isEmpty), body: outgoing.request.body,
                purpose: outgoing.purpose)
            return
        }
        if isInvite { other.gate.invitingEnded() }
        guard response.status.isSuccess, let place = side.media else {
            if isInvite { other.inviting = nil }
            other.gate.settled()
            if let place = side.media { media.withdrawOffer(on: place) }
            return refuseChange(server, on: side, with: response)
        }
        resetSessionTimer(other, with: response)
        // Nobody waits any more: the call has ended meanwhile.
        let isWanted = state != .ended && (side.invited?.id == server.id || side.offered?.id == server.id)
        do throws(SIPRefusal) {
            guard isWanted else { throw SIPRefusal(.requestTerminated) }
            guard let description = response.sessionDescription else { throw noDescription }
            if hasOffer {
                let body = try await media.receiveAnswer(description, from: other.side, on: place)
                if isInvite { await acknowledge(other, sequence: response.cseq.sequence) }
                other.gate.settled()
                persist()
                accept(server, on: side, body: body)
            } else {
                _ = try media.receiveOffer(description, from: other.side, on: place)
                let body = try await offer(from: other, on: place)
                other.gate.receivedOffer()
                other.awaitsAnswer = response.cseq.sequence
                accept(server, on: side, body: body)
                side.gate.sentOffer()
            }
        } catch {
            // The agreement stays: the ACK lets the other side know that its answer has come.
            if isInvite { await acknowledge(other, sequence: response.cseq.sequence) }
            other.gate.settled()
            media.withdrawOffer(on: place)
            if isWanted { refuseChange(server, on: side, error) }
        }
        if isInvite, other.inviting === outgoing { other.inviting = nil }
    }

    /// Accepts a re-INVITE or UPDATE: the peer's target and the session timer are new.
    private func accept(_ server: ServerRequest, on side: CallSide, body: [UInt8]) {
        let request = server.request
        side.dialog?.refreshTarget(request.method, request.headers)
        side.note(request.headers)
        var headers = SIPHeaders()
        if let contact = side.contact, request.method.isTargetRefresh { headers.append("Contact", "<\(contact)>") }
        headers.append("Allow", CallContext.policy.allow)
        headers.append("Server", CallContext.agent)
        if request.method.isTargetRefresh, let policy = context.configuration.sessionTimer,
            let (timer, fields) = try? SessionTimer.answer(request, policy: policy)
        {
            side.timer = timer
            for field in fields.fields { headers.append(field.name, field.value) }
            startSessionTimer(side)
        }
        if !body.isEmpty { headers.append("Content-Type", "application/sdp") }
        let response = SIPResponse(.ok, to: request, tag: nil, headers: headers, body: body)
        side.gate.settled()
        persist()
        if request.method == .invite {
            side.gate.invitedEnded()
            side.invited = nil
            context.remove(invite: server.id)
            succeed(response, on: side, id: server.id)
        } else {
            side.offered = nil
            respond(response, to: server)
        }
    }

    private func refuseChange(_ server: ServerRequest, on side: CallSide, with response: SIPResponse) {
        refuseChange(server, on: side, Self.passed(response, unlessAnswerable: .notAcceptableHere))
    }

    private func refuseChange(_ server: ServerRequest, on side: CallSide, _ refusal: SIPRefusal) {
        if server.request.method == .invite {
            side.gate.invitedEnded()
            side.invited = nil
        } else {
            side.offered = nil
        }
        side.gate.settled()
        respond(refusal, to: server)
    }
}
