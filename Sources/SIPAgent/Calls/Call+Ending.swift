// The end of a call.

import AgentSupport
import Logging
import RTPWire
import SIPCore

extension Call {
    /// The caller has given up, or the one who changes the session has.
    func cancelled(_ id: TransactionID) async {
        if let initial, initial.id == id { return await refuse(SIPRefusal(.requestTerminated)) }
        // A re-INVITE: its counterpart on the other side is cancelled, and what that answers decides.
        for side in sides {
            guard side.invited?.id == id, let request = other(of: side)?.inviting else { continue }
            cancel(request)
        }
    }

    /// Cancels a re-INVITE as soon as it can be.
    func cancel(_ request: OutgoingRequest) {
        guard let id = request.id, context.transactions.isCancellable(id) else {
            request.isCancelled = true
            return
        }
        request.isCancelled = true
        context.transactions.cancel(
            id, request: request.request,
            client: OutgoingRequest(request.request, call: self, side: request.side, purpose: .cancel))
        setTimer(.cancelledRequest(request), after: context.times.timeout)
    }

    /// A response could not be sent, or its ACK did not come: with an unanswered call that is its end.
    func unanswerable(_ id: TransactionID) async {
        guard let initial, initial.id == id else { return }
        self.initial = nil
        context.remove(invite: id)
        for action in branchSet.cancel() { if case .cancel(let number) = action { cancel(branches[number]) } }
        await finish(reason: "the caller cannot be reached")
    }

    /// A peer hangs up.
    func received(bye: ServerRequest, on side: CallSide) async {
        side.dialog?.terminate()
        if initial != nil, side === caller {
            respond(.ok, to: bye)
            return await refuse(SIPRefusal(.requestTerminated))
        }
        if initial != nil, state != .answered {
            respond(.ok, to: bye)
            return await leftEarly(side)
        }
        let isFirst = state == .answered
        if let other = other(of: side), isFirst {
            var headers = SIPHeaders()
            PassedHeaders.copy(from: bye.request.headers, to: &headers)
            await self.bye(other, headers: headers)
        }
        refusePending()
        if isFirst { context.counters.add(to: .endedCalls, ["by": side.side.rawValue]) }
        await finish(reason: "the \(side.side.rawValue) hung up")
        respond(.ok, to: bye)
    }

    /// A callee has ended its early dialog, which it may not do (RFC 3261 section 15): once no other dialog of the destination is left, the
    /// destination has failed, and those that come after it are called.
    private func leftEarly(_ side: CallSide) async {
        guard let branch = branches.first(where: { $0.sides.values.contains { $0 === side } }), !branch.isOver,
            !branch.isCancelled, branch.sides.values.allSatisfy({ $0.dialog?.state == .terminated })
        else { return }
        note("\(branch.target.requestURI) hung up before it answered")
        cancel(branch)
        await carryOut(
            branchSet.receive(
                SIPResponse(.temporarilyUnavailable, toNothingOf: self), from: branch.number, isLast: stages.isEmpty))
        await callNext()
    }

    /// Refuses the requests that are not answered when the call ends: INVITEs that change it above all (RFC 3261 section 15.1.2).
    private func refusePending() {
        for side in sides {
            if let invited = side.invited { respond(.requestTerminated, to: invited) }
            if let offered = side.offered { respond(.requestTerminated, to: offered) }
            side.invited = nil
            side.offered = nil
        }
    }

    /// Ends the call for an operator; returns when its media is out of the fast path.
    func end(reason: String) async {
        await withCheckedContinuation { continuation in
            endWaiters.append(continuation)
            post(.close(reason: reason))
        }
    }

    /// Ends the call on both sides: an operator's wish, or nobody refreshes, acknowledges or sends.
    func close(reason: String) async {
        guard state != .ended else {
            for waiter in endWaiters { waiter.resume() }
            endWaiters = []
            return
        }
        note("ended: \(reason)")
        if initial != nil {
            if let callee, callee.dialog?.state == .confirmed { await bye(callee) }
            return await refuse(SIPRefusal(.temporarilyUnavailable))
        }
        context.counters.add(to: .endedCalls, ["by": "node"])
        for side in sides where side.dialog?.state == .confirmed { await bye(side) }
        refusePending()
        await finish(reason: reason)
    }

    /// Hangs up towards a peer. An unacknowledged 2xx of the peer has been acknowledged before.
    func bye(_ side: CallSide, headers: SIPHeaders = [:]) async {
        guard side.dialog?.state == .confirmed else { return }
        if let sequence = side.awaitsAnswer {
            side.awaitsAnswer = nil
            await acknowledge(side, sequence: sequence)
        }
        side.success = nil
        await send(.bye, on: side, headers: headers, purpose: .bye)
        side.dialog?.terminate()
    }

    /// The call is over: its media leaves the fast path, and nothing is kept but what transactions still need.
    func finish(reason: String) async {
        guard state != .ended else { return }
        let hadAnswer = state == .answered
        state = .ended
        endedAt = MonotonicClock.now
        caller.success = nil
        for branch in branches where !branch.isOver {
            // One that has sent nothing is waited for by nobody.
            if branch.id == nil { branch.isOver = true } else if !branch.isCancelled { cancel(branch) }
        }
        context.logger.debug("sip \(name): \(reason)")
        endReason = reason
        _ = await media.end()
        for waiter in endWaiters { waiter.resume() }
        endWaiters = []
        removeFromJournal(hadAnswer: hadAnswer)
        await finishIfOver()
    }

    /// Forgets the dialogs, when all branches have their final response.
    func finishIfOver() async {
        guard state == .ended, branches.allSatisfy(\.isOver), !isForgotten else { return }
        isForgotten = true
        context.journal.remove(name)
        context.remove(self)
        // BYEs that cross are answered as long as transactions last.
        context.timers.schedule(after: context.times.timeout) { self.forget() }
    }

    /// Ends what is still waited for of a call that should have been over long ago, without waiting for anything.
    func discard() {
        guard !isForgotten else { return }
        context.logger.warning("sip \(name): \(endReason ?? state.rawValue): given up, since it did not end by itself")
        isForgotten = true
        state = .ended
        if let initial {
            self.initial = nil
            respond(.serverInternalError, to: initial)
        }
        for branch in branches where !branch.isOver {
            branch.isOver = true
            if let id = branch.id { context.transactions.abandon(id) }
        }
        let media = media
        Task { @AgentActor in _ = await media.end() }
        for waiter in endWaiters { waiter.resume() }
        endWaiters = []
        context.journal.remove(name)
        context.remove(self)
        context.timers.schedule(after: context.times.timeout) { self.forget() }
    }

    /// Nobody asks for the dialogs any more.
    func forget() {
        for side in callers + sides + branches.flatMap({ $0.sides.values }) {
            if let id = side.dialog?.id { context.remove(id) }
        }
        branches = []
    }
}
