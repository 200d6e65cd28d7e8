// Responses to the caller.

import AgentSupport
import RTPWire
import SIPCore
import Timing

extension Call {
    /// Passes a provisional response on in the caller's dialog of its fork, reliably where the callee's was or the caller insists.
    func tellCaller(_ response: SIPResponse, on caller: CallSide, body: [UInt8], isReliable: Bool) {
        guard let initial else { return }
        if state == .calling { state = .ringing }
        var headers = inviteHeaders(caller)
        PassedHeaders.copy(from: response.headers, to: &headers)
        if !body.isEmpty { headers.append("Content-Type", "application/sdp") }
        let answer = SIPResponse(
            response.status, to: initial.request, tag: caller.dialog?.id.localTag, headers: headers, body: body)
        remindAt = MonotonicClock.now.addingSaturating(Self.reminderInterval)
        let isRequired = initial.request.headers.contains("100rel", in: "Require")
        guard isRequired || (callerSupportsReliability && isReliable) else {
            return context.transactions.respond(answer, to: initial.id)
        }
        // The session description of a reliable response counts (RFC 3262 section 5).
        if !body.isEmpty { if hasInitialOffer { caller.gate.settled() } else { caller.gate.sentOffer() } }
        if caller.provisional == nil {
            caller.provisional = ReliableProvisionalSender(
                firstSequence: UInt32.random(in: 1...0x3fff_ffff, using: &context.generator), times: context.times)
        }
        carryOut(caller.provisional?.send(answer), on: caller)
    }

    /// Nanoseconds after which a proxy is told that the call still rings: its timer C would end it (RFC 3261 section 13.3.1.1).
    static let reminderInterval: UInt64 = 60_000_000_000

    /// Repeats what the caller has last heard of the callee, without its description, or says that the call makes progress.
    func remindCaller() {
        guard let initial else { return }
        remindAt = MonotonicClock.now.addingSaturating(Self.reminderInterval)
        // One that waits for its PRACK is repeated anyway, and another may not follow it.
        guard caller.provisional?.isUnacknowledged != true,
            initial.request.headers.contains("100rel", in: "Require") == false
        else { return }
        context.transactions.respond(
            SIPResponse(
                state == .ringing ? .ringing : .sessionProgress, to: initial.request,
                tag: caller.dialog?.id.localTag, headers: inviteHeaders(caller)), to: initial.id)
    }

    private func carryOut(_ step: ReliableProvisionalSender.Step?, on caller: CallSide) {
        guard let initial, case .send(let response, let next)? = step else { return }
        context.transactions.respond(response, to: initial.id)
        caller.provisionalNumber += 1
        setTimer(.provisional(caller, caller.provisionalNumber), after: next)
    }

    /// The time for a PRACK has passed.
    func provisionalDue(_ caller: CallSide, _ number: UInt32) async {
        guard number == caller.provisionalNumber, initial != nil, let step = caller.provisional?.step() else { return }
        guard case .giveUp = step else { return carryOut(step, on: caller) }
        note("the caller did not acknowledge a reliable response")
        if let callee, callee.dialog?.state == .confirmed { await bye(callee) }
        await refuse(SIPRefusal(.serverTimeout))
    }

    /// The caller acknowledges a reliable provisional response, perhaps with an offer or an answer (RFC 3262 section 5).
    func received(prack: ServerRequest, on caller: CallSide) async {
        guard let result = caller.provisional?.receive(prack.request.headers.rack), result.isMatching else {
            return respond(.transactionDoesNotExist, to: prack)
        }
        caller.provisionalNumber += 1
        let description = prack.request.sessionDescription
        if let held = caller.heldAcknowledgement {
            caller.heldAcknowledgement = nil
            guard let description, let branch = held.side.media else {
                respond(SIPStatus(400, "Bad Request (no answer to the offer)"), to: prack)
                return await acknowledge(held.rack, on: held.side)
            }
            do throws(SIPRefusal) {
                let body = try await media.receiveAnswer(description, from: .caller, on: branch)
                caller.gate.settled()
                held.side.gate.settled()
                await acknowledge(held.rack, on: held.side, body: body)
                respond(.ok, to: prack)
            } catch {
                respond(error, to: prack)
                await acknowledge(held.rack, on: held.side)
                return await close(reason: "the caller's answer is of no use: \(error.status.phrase)")
            }
        } else if let description {
            await change(prack, description, from: caller)
        } else {
            respond(.ok, to: prack)
        }
        carryOut(result.next, on: caller)
        if let held = caller.heldAnswer, caller.provisional?.isUnacknowledged != true {
            caller.heldAnswer = nil
            await answerCaller(held)
        }
    }

    /// Acknowledges a reliable provisional response of the callee.
    func acknowledge(_ rack: RAck, on side: CallSide, body: [UInt8] = []) async {
        var headers: SIPHeaders = ["RAck": rack.description]
        if !body.isEmpty { headers.append("Content-Type", "application/sdp") }
        await send(.prack, on: side, headers: headers, body: body, purpose: .acknowledge)
    }

    // MARK: The answer

    /// Answers the caller's INVITE; it waits while a reliable provisional response is not acknowledged (RFC 3262 section 3).
    func answerCaller(_ body: [UInt8]) async {
        guard let initial else { return }
        if caller.provisional?.isUnacknowledged == true {
            caller.heldAnswer = body
            return
        }
        caller.provisional?.stop()
        caller.dialog?.confirm()
        var headers = inviteHeaders(caller)
        headers.append("Supported", CallContext.policy.supported)
        if let policy = context.configuration.sessionTimer,
            let (timer, fields) = try? SessionTimer.answer(initial.request, policy: policy)
        {
            caller.timer = timer
            for field in fields.fields { headers.append(field.name, field.value) }
        }
        headers.append("Content-Type", "application/sdp")
        let response = SIPResponse(
            .ok, to: initial.request, tag: caller.dialog?.id.localTag, headers: headers, body: body)
        caller.gate.invitedEnded()
        // The offer of the callee's answer, or the answer to the caller's offer.
        if callee?.awaitsAnswer != nil { caller.gate.sentOffer() } else { caller.gate.settled() }
        caller.invited = nil
        persist()
        context.counters.add(to: .answeredCalls)
        succeed(response, on: caller, id: initial.id)
        self.initial = nil
        context.remove(invite: initial.id)
        forgetForks()
        startSessionTimer(caller)
    }

    /// The dialogs of the caller with forks that have not answered are no more.
    private func forgetForks() {
        for other in callers where other !== caller {
            if let id = other.dialog?.id { context.remove(id) }
        }
        callers = [caller]
    }

    /// The fields of every response to an INVITE that makes a dialog.
    func inviteHeaders(_ side: CallSide) -> SIPHeaders {
        var headers = SIPHeaders()
        if let contact = side.contact { headers.append("Contact", "<\(contact)>") }
        headers.append("Allow", CallContext.policy.allow)
        headers.append("Server", CallContext.agent)
        return headers
    }

    /// Sends a 2xx to an INVITE, and repeats it until its ACK comes (RFC 3261 section 13.3.1.4).
    func succeed(_ response: SIPResponse, on side: CallSide, id: TransactionID) {
        let retransmission = SuccessRetransmission(response, times: context.times)
        side.success = (retransmission, id)
        side.successNumber += 1
        context.transactions.respond(response, to: id)
        setTimer(.acknowledgement(side, side.successNumber), after: retransmission.firstInterval)
    }

    /// The time for an ACK has passed.
    func acknowledgementDue(_ side: CallSide, _ number: UInt32) async {
        guard number == side.successNumber, side.success != nil else { return }
        switch side.success?.retransmission.step() {
        case .send(let response, let next)?:
            if let id = side.success?.id { context.transactions.respond(response, to: id) }
            context.counters.add(to: .retransmissions)
            setTimer(.acknowledgement(side, number), after: next)
        case .giveUp?:
            side.success = nil
            context.counters.add(to: .unacknowledged)
            await close(reason: "the \(side.side.rawValue) did not acknowledge the answer")
        case nil: break
        }
    }

    // MARK: No answer

    /// Answers the caller's INVITE with a failure of a destination, as far as that means anything to the caller.
    func refuse(with response: SIPResponse) async {
        await refuse(Self.passed(response, unlessAnswerable: .temporarilyUnavailable))
    }

    /// The refusal that the other side gets for a failure. Credentials of a next hop are nothing that it could have,
    /// and places to go instead would lead around the node.
    static func passed(_ response: SIPResponse, unlessAnswerable redirected: SIPStatus) -> SIPRefusal {
        var status = response.status
        if status.code == 401 || status.code == 407 { status = .forbidden }
        if status.isRedirection { status = redirected }
        var headers = SIPHeaders()
        for name in ["Retry-After", "Warning", "Reason", "Error-Info", "Unsupported"] {
            for value in response.headers.all(name) { headers.append(name, value) }
        }
        return SIPRefusal(status, headers: headers)
    }

    /// Answers the caller's INVITE with a failure, and ends the call.
    func refuse(_ refusal: SIPRefusal) async {
        if let initial {
            self.initial = nil
            for caller in callers { caller.provisional?.stop() }
            context.counters.add(to: .failedCalls, ["status": SIPCounter.label(refusal.status)])
            context.transactions.respond(
                SIPResponse(
                    refusal.status, to: initial.request, tag: caller.dialog?.id.localTag ?? context.tag(),
                    headers: refusal.headers), to: initial.id)
            context.remove(invite: initial.id)
        }
        for action in branchSet.cancel() { if case .cancel(let number) = action { cancel(branches[number]) } }
        await finish(reason: "\(refusal.status.code) \(refusal.status.phrase)")
    }
}
