// What a call does when time has passed.

import AgentSupport
import RTPWire
import SIPCore

extension Call {
    func fired(_ timer: CallTimer) async {
        switch timer {
        case .acknowledgement(let side, let number): await acknowledgementDue(side, number)
        case .provisional(let side, let number): await provisionalDue(side, number)
        case .ringing(let branch):
            guard !branch.isOver, !branch.isCancelled, initial != nil else { return }
            note("\(branch.target.requestURI) did not answer in \(branch.target.ringTime) s")
            cancel(branch)
            await movedOn(from: branch)
        case .life(let branch, let number):
            guard branch.lifeNumber == number, !branch.isOver, !branch.isCancelled else { return }
            cancel(branch)
        case .cancelled(let branch):
            guard !branch.isOver, let id = branch.id else { return }
            context.transactions.abandon(id)
        case .cancelledRequest(let request):
            if request.side.inviting === request, let id = request.id { context.transactions.abandon(id) }
        case .refresh(let side, let number):
            if side.timerNumber == number, state == .answered { await refresh(side) }
        case .expiry(let side, let number):
            guard side.timerNumber == number, state == .answered else { return }
            context.counters.add(to: .expiredSessions)
            await close(reason: "the \(side.side.rawValue) did not refresh the session")
        case .retry(let side, let number):
            if side.timerNumber == number, state == .answered { await refresh(side) }
        case .forgotten: forget()
        }
    }

    /// A branch that rang long enough counts as failed at once: the next one need not wait until it has noticed.
    private func movedOn(from branch: CallBranch) async {
        let actions = branchSet.timedOut(branch.number, isLast: stages.isEmpty)
        await carryOut(actions)
        await callNext()
    }

    // MARK: Session timers (RFC 4028)

    /// Starts the timer of a side anew; nothing runs where none was agreed on.
    func startSessionTimer(_ side: CallSide) {
        side.timerNumber += 1
        guard let timer = side.timer else { return }
        if timer.isRefresher {
            setTimer(.refresh(side, side.timerNumber), after: timer.refreshAfter)
        }
        setTimer(.expiry(side, side.timerNumber), after: timer.expireAfter)
    }

    /// The peer has answered an INVITE or UPDATE of this node.
    func resetSessionTimer(_ side: CallSide, with response: SIPResponse) {
        side.timer = SessionTimer(accepted: response)
        startSessionTimer(side)
    }

    /// Keeps the session of a side alive: by UPDATE where the peer takes it, else by an INVITE with the same description.
    func refresh(_ side: CallSide) async {
        if side.allowsUpdate {
            await send(.update, on: side, headers: changeHeaders(side, hasBody: false), purpose: .refresh)
            return
        }
        guard side.gate.mayInvite, let offer = side.media.flatMap({ media.lastDescription(to: side.side, on: $0) })
        else {
            // Something is under way that refreshes as well, or will soon be over.
            return setTimer(.retry(side, side.timerNumber), after: .seconds(2))
        }
        side.gate.sentInvite()
        side.gate.sentOffer()
        await send(
            .invite, on: side, headers: changeHeaders(side, hasBody: true), body: offer, purpose: .refresh)
    }

    /// The answer to a refresh of this node.
    func refreshed(_ outgoing: OutgoingRequest, _ response: SIPResponse) async {
        let side = outgoing.side
        let isInvite = outgoing.request.method == .invite
        if isInvite {
            side.gate.invitingEnded()
            side.gate.settled()
            if response.status.isSuccess { await acknowledge(side, sequence: response.cseq.sequence) }
            side.inviting = nil
        }
        switch response.status.code {
        case 200..<300:
            // The same answer changes nothing; another one counts all the same.
            if isInvite, let answer = response.sessionDescription, let branch = side.media {
                _ = try? await media.receiveAnswer(answer, from: side.side, on: branch)
            }
            resetSessionTimer(side, with: response)
            persist()
        case 422:
            guard let minimum = SessionTimer.minimum(of: response), minimum > side.minimumInterval ?? 0 else { return }
            side.minimumInterval = minimum
            await refresh(side)
        case 491:
            let wait = ModificationGate.backoff(ownsCallID: side !== caller, using: &context.generator)
            setTimer(.retry(side, side.timerNumber), after: wait)
        case 405, 501:
            // It said that it takes UPDATE, and does not.
            side.allowed?.remove(.update)
            if !isInvite { await refresh(side) }
        case 500:
            let seconds: UInt16 = response.headers.number("Retry-After") ?? 2
            setTimer(.retry(side, side.timerNumber), after: .seconds(Int(max(seconds, 1))))
        default: break
        }
    }
}
