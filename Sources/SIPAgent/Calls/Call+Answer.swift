// What the caller is told.

import AgentSupport
import RTPWire
import SDP
import SIPCore

extension Call {
    /// Passes a provisional response on, reliably where the callee's was or the caller insists.
    func tellCaller(_ response: SIPResponse, side: CallSide?, body: SessionDescription?) async {
        guard let initial, provisional?.isStopped != true else { return }
        if state == .calling { state = .ringing }
        var headers = inviteHeaders()
        PassedHeaders.copy(from: response.headers, to: &headers)
        if body != nil { headers.append("Content-Type", "application/sdp") }
        let answer = SIPResponse(
            response.status, to: initial.request, tag: caller.dialog?.id.localTag, headers: headers,
            body: body?.bytes ?? [])
        if let body { earlyDescription = body }
        let isRequired = initial.request.headers.contains("100rel", in: "Require")
        guard isRequired || (callerSupportsReliability && earlyReliable) else {
            return context.transactions.respond(answer, to: initial.id)
        }
        if body != nil, hasInitialOffer { caller.gate.settled() }
        if body != nil, !hasInitialOffer { caller.gate.sentOffer() }
        var sender =
            provisional
            ?? ReliableProvisionalSender(
                firstSequence: UInt32.random(in: 1...0x7fff_ffff / 2, using: &context.generator), times: context.times)
        let step = sender.send(answer)
        provisional = sender
        carryOut(step)
    }

    private func carryOut(_ step: ReliableProvisionalSender.Step?) {
        guard let initial, case .send(let response, let next)? = step else { return }
        context.transactions.respond(response, to: initial.id)
        provisionalNumber += 1
        setTimer(.provisional(provisionalNumber), after: next)
    }

    /// The time for a PRACK has passed.
    func provisionalDue(_ number: UInt32) async {
        guard number == provisionalNumber, initial != nil, let step = provisional?.step() else { return }
        guard case .giveUp = step else { return carryOut(step) }
        note("the caller did not acknowledge a reliable response")
        await refuse(SIPRefusal(.serverTimeout))
    }

    /// The caller acknowledges a reliable provisional response, perhaps with an offer or an answer (RFC 3262 section 5).
    func received(prack: ServerRequest) async {
        guard let result = provisional?.receive(prack.request.headers.rack), result.isMatching else {
            return respond(.transactionDoesNotExist, to: prack)
        }
        provisionalNumber += 1
        let description: SessionDescription?
        do throws(SIPRefusal) {
            description = try Self.description(prack.request.sessionDescription, agent: context.warningAgent)
        } catch { return respond(error, to: prack) }
        if let held = heldAcknowledgement {
            heldAcknowledgement = nil
            guard let description, let branch = held.side.branch else {
                respond(SIPStatus(400, "Bad Request (no answer to the offer)"), to: prack)
                return await acknowledge(held.rack, on: held.side, body: nil)
            }
            do throws(SIPRefusal) {
                let body = try await media.receive(callerAnswer: description, branch: branch)
                caller.gate.settled()
                held.side.gate.settled()
                await acknowledge(held.rack, on: held.side, body: body)
                respond(.ok, to: prack)
            } catch {
                respond(error, to: prack)
                return await close(reason: "the caller's answer is of no use")
            }
        } else if let description {
            await change(prack, description, from: caller)
        } else {
            respond(.ok, to: prack)
        }
        carryOut(result.next)
        if let heldAnswer, provisional?.isUnacknowledged != true {
            self.heldAnswer = nil
            await answerCaller(heldAnswer.body, side: heldAnswer.side)
        }
    }

    /// Acknowledges a reliable provisional response of the callee.
    func acknowledge(_ rack: RAck, on side: CallSide, body: SessionDescription?) async {
        var headers: SIPHeaders = ["RAck": rack.description]
        if body != nil { headers.append("Content-Type", "application/sdp") }
        await send(.prack, on: side, headers: headers, body: body?.bytes ?? [], purpose: .acknowledge)
    }

    // MARK: The answer

    /// Answers the caller's INVITE; it waits while a reliable provisional response is not acknowledged (RFC 3262 section 3).
    func answerCaller(_ body: SessionDescription, side: CallSide) async {
        guard let initial else { return }
        if provisional?.isUnacknowledged == true {
            heldAnswer = (body, side)
            return
        }
        provisional?.stop()
        // A caller takes the first description of a dialog for the answer (RFC 3261 section 13.2.1): another one is another dialog.
        if hasInitialOffer, let earlyDescription, earlyDescription != body, let old = caller.dialog,
            let dialog = Dialog(received: initial.request, tag: context.tag(), state: .early)
        {
            context.remove(old.id)
            caller.dialog = dialog
            context.add(caller, as: dialog.id)
        }
        caller.dialog?.confirm()
        var headers = inviteHeaders()
        headers.append("Supported", CallContext.policy.supported)
        if let policy = context.configuration.sessionTimer,
            let (timer, fields) = try? SessionTimer.answer(initial.request, policy: policy)
        {
            caller.timer = timer
            for field in fields.fields { headers.append(field.name, field.value) }
        }
        headers.append("Content-Type", "application/sdp")
        let response = SIPResponse(
            .ok, to: initial.request, tag: caller.dialog?.id.localTag, headers: headers, body: body.bytes)
        state = .answered
        caller.gate.invitedEnded()
        if hasInitialOffer { caller.gate.settled() } else { caller.gate.sentOffer() }
        caller.invited = nil
        persist()
        context.counters.add(to: .answeredCalls)
        succeed(response, on: caller, id: initial.id)
        self.initial = nil
        context.remove(invite: initial.id)
        startSessionTimer(caller)
    }

    /// The fields of every response to an INVITE that makes a dialog.
    func inviteHeaders() -> SIPHeaders {
        var headers = SIPHeaders()
        if let contact = caller.contact { headers.append("Contact", "<\(contact)>") }
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
        var status = response.status
        // Credentials of a next hop are nothing that the caller could have.
        if status.code == 401 || status.code == 407 { status = .forbidden }
        if status.isRedirection { status = .temporarilyUnavailable }
        var headers = SIPHeaders()
        for name in ["Retry-After", "Warning", "Reason", "Error-Info", "Unsupported"] {
            for value in response.headers.all(name) { headers.append(name, value) }
        }
        await refuse(SIPRefusal(status, headers: headers))
    }

    /// Answers the caller's INVITE with a failure, and ends the call.
    func refuse(_ refusal: SIPRefusal) async {
        if let initial {
            self.initial = nil
            provisional?.stop()
            context.counters.add(to: .failedCalls, ["status": "\(refusal.status.code)"])
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
