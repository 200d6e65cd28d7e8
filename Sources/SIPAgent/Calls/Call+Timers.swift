// Actions of a call when time has passed.

import AgentSupport
import RTPWire
import SIPCore
import Timing

extension Call {
    func fired(_ timer: CallTimer) async {
        switch timer {
        case .acknowledgement(let side, let number): await acknowledgementDue(side, number)
        case .provisional(let side, let number): await provisionalDue(side, number)
        case .cancelled(let branch):
            guard !branch.isOver, let id = branch.id else { return }
            context.transactions.abandon(id)
        case .cancelledRequest(let request):
            if request.side.inviting === request, let id = request.id { context.transactions.abandon(id) }
        case .retry(let side, let number):
            if side.timerNumber == number, state == .answered { await refresh(side) }
        }
    }

    /// True if something has run out: periods of minutes have no timer of their own, but are looked at every second.
    func hasRunOut(_ now: UInt64) -> Bool {
        switch state {
        case .answered:
            sides.contains { side in
                side.refreshAt.map { $0 <= now } == true || side.expiresAt.map { $0 <= now } == true
            }
        case .calling, .ringing:
            branches.contains { branch in
                !branch.isOver && !branch.isCancelled
                    && (branch.ringsUntil.map { $0 <= now } == true || branch.livesUntil.map { $0 <= now } == true)
            }
                || undecidedUntil.hasPassed(at: now) || remindAt <= now
        case .ended: false
        }
    }

    /// True if the call should have been over for so long that the event it waits for does not come any more.
    func isStuck(_ now: UInt64) -> Bool {
        let grace = context.times.timeout.saturatedNanoseconds.multipliedSaturating(by: 4)
        if let endedAt { return Deadline(grace, after: endedAt).hasPassed(at: now) }
        return state != .answered && state != .ended
            && Deadline(grace, after: undecidedUntil.nanoseconds).hasPassed(at: now)
    }

    /// Does what is due.
    func passed(_ now: UInt64) async {
        if state == .answered {
            for side in sides where side.expiresAt.map({ $0 <= now }) == true {
                context.counters.add(to: .expiredSessions)
                return await close(reason: "the \(side.side.rawValue) did not refresh the session")
            }
            for side in sides where side.refreshAt.map({ $0 <= now }) == true {
                side.refreshAt = nil
                await refresh(side)
            }
            return
        }
        if undecidedUntil.hasPassed(at: now) { return await close(reason: "nobody decided in time") }
        if remindAt <= now { remindCaller() }
        for branch in branches where !branch.isOver && !branch.isCancelled && initial != nil {
            if branch.ringsUntil.map({ $0 <= now }) == true {
                note("\(branch.target.requestURI) did not answer in \(branch.target.ringTime) s")
                cancel(branch)
                // The next one need not wait until the cancelled one has noticed.
                await carryOut(branchSet.timedOut(branch.number, isLast: stages.isEmpty))
                await callNext()
            } else if branch.livesUntil.map({ $0 <= now }) == true {
                cancel(branch)
            }
        }
    }

    // MARK: Session timers (RFC 4028)

    /// Starts the timer of a side again; nothing runs where none was agreed on.
    func startSessionTimer(_ side: CallSide) {
        side.timerNumber += 1
        let now = MonotonicClock.now
        let timer = side.timer
        side.refreshAt = timer.flatMap {
            $0.isRefresher ? now.addingSaturating($0.refreshAfter.saturatedNanoseconds) : nil
        }
        side.expiresAt = timer.map { now.addingSaturating($0.expireAfter.saturatedNanoseconds) }
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
