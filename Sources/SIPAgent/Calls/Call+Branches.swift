// Responses of the destinations of a call.

import AgentSupport
import RTPWire
import SIPCore
import Timing

extension Call {
    /// A response to a branch's INVITE, or none.
    func received(
        _ outcome: CallEvent.Outcome, _ id: TransactionID, of branch: CallBranch, from source: SIPSource?
    ) async {
        guard case .response(let response) = outcome else {
            // Responses to the CANCEL itself are of no interest.
            guard id == branch.id, !branch.isOver else { return }
            if let destination = branch.destination { context.resolver.failed(destination) }
            if !branch.isCancelled, !branch.destinations.isEmpty { return await tryNext(branch) }
            var isUndeliverable = false
            if case .undeliverable = outcome { isUndeliverable = true }
            return await failed(
                branch, with: isUndeliverable ? SIPResponse(.serviceUnavailable, toNothingOf: self) : nil)
        }
        guard response.cseq.method == .invite else { return }
        guard id == branch.id else {
            // A fork of an attempt that was given up has answered.
            if response.status.isSuccess { endStray(response, of: branch) }
            return
        }
        guard var invite = branch.invite else { return }
        let event = invite.receive(response)
        branch.invite = invite
        switch event {
        case .progress: showsLife(branch, response)
        case .early(let dialog):
            showsLife(branch, response)
            await progress(response, dialog, of: branch, from: source)
        case .answered(let dialog): await answered(response, dialog, by: branch, from: source)
        case .repeated(let dialog): repeatAcknowledgement(dialog, of: branch)
        case .superfluous(let dialog): endStray(response, dialog, of: branch)
        case .failed(let response): await refused(response, by: branch)
        case .unusable:
            // A 2xx without a tag or a Contact, or a fork too many: no call, but the callee must not wait in one for an ACK.
            if response.status.isSuccess { endStray(response, of: branch) }
            guard invite.winner == nil, invite.dialogs.isEmpty else { break }
            await failed(branch, with: SIPResponse(.badGateway, toNothingOf: self))
        }
        if case .progress = event, response.status.code > 100, !branch.isOver, initial != nil, !branch.isCancelled {
            // A provisional response without a tag makes no dialog; the caller gets it all the same.
            await carryOut(branchSet.receive(response, from: branch.number, isLast: stages.isEmpty))
        }
    }

    /// A provisional response: the destination can be cancelled now, and timer C starts again (RFC 3261 section 16.7 item 2).
    private func showsLife(_ branch: CallBranch, _ response: SIPResponse) {
        if branch.isCancelled { return cancel(branch) }
        guard response.status.code > 100 || branch.livesUntil == nil else { return }
        branch.livesUntil = MonotonicClock.now.addingSaturating(context.times.c.saturatedNanoseconds)
    }

    /// The two dialogs of a fork, made when it first shows: with the callee, and with the caller, who is to tell forks apart
    /// (RFC 3261 section 12.1).
    private func fork(_ dialog: Dialog, of branch: CallBranch, from source: SIPSource?) -> CallSide {
        let tag = dialog.id.remoteTag ?? ""
        if let side = branch.sides[tag] { return side }
        let side = CallSide(.callee, of: self, branch: branch.number, isSecure: dialog.isSecure)
        side.dialog = dialog
        side.authentication = branch.authentication
        side.credentials = branch.target.credentials
        side.isConfigured = branch.target.isConfigured
        side.minimumInterval = branch.minimumInterval
        side.contact = branch.path?.contact(isSecure: dialog.isSecure)
        if let source = source ?? branch.origin { side.note(source) }
        side.note(branch)
        side.media = branch.media.map { branch.sides.isEmpty ? $0 : media.splitBranch($0) }
        branch.sides[tag] = side
        context.add(side, as: dialog.id)
        let own = caller.media == nil ? caller : newCaller()
        own.counterpart = side
        own.media = side.media
        side.counterpart = own
        return side
    }

    /// A further dialog with the caller.
    private func newCaller() -> CallSide {
        let side = CallSide(.caller, of: self, isSecure: caller.isSecure)
        if let initial {
            side.dialog = Dialog(
                received: initial.request.withContact(at: initial.source), tag: context.tag(), state: .early)
        }
        if let id = side.dialog?.id { context.add(side, as: id) }
        side.contact = caller.contact
        side.source = caller.source
        side.connection = caller.connection
        (side.reach, side.seenAt) = (caller.reach, caller.seenAt)
        context.keepWayOpen(to: side)
        side.allowed = caller.allowed
        side.supportsTimer = caller.supportsTimer
        side.agent = caller.agent
        side.gate = caller.gate
        side.invited = initial
        callers.append(side)
        return side
    }

    // MARK: Early dialogs

    /// A provisional response with a dialog: acknowledged where it is reliable, and passed on.
    private func progress(
        _ response: SIPResponse, _ dialog: Dialog, of branch: CallBranch, from source: SIPSource?
    ) async {
        let side = fork(dialog, of: branch, from: source)
        side.note(response.headers)
        var rack: RAck?
        switch branch.receivers[dialog.id.remoteTag ?? "", default: ReliableProvisionalReceiver()].receive(response) {
        case .drop: return
        case .unreliable: break
        case .acknowledge(let value): rack = value
        }
        guard initial != nil, !branch.isCancelled, let place = side.media, let own = side.counterpart else {
            if let rack { await acknowledge(rack, on: side) }
            return
        }
        var body: [UInt8] = []
        do throws(SIPRefusal) {
            if let description = response.sessionDescription, hasInitialOffer {
                body = try await media.receiveAnswer(description, from: .callee, on: place, isProvisional: true)
            } else if let description = response.sessionDescription, let rack, own.heldAcknowledgement == nil {
                // An offer of the callee: the caller answers it in its PRACK.
                _ = try media.receiveOffer(description, from: .callee, on: place)
                body = try await media.offer(to: .caller, on: place)
                side.gate.receivedOffer()
                own.heldAcknowledgement = (rack, side)
            }
        } catch {
            note(
                "the early description of \(side.source?.text ?? "the callee") is of no use: \(Self.reason(of: error))")
            // An early answer may be left out: that of the 2xx counts, or another fork's (RFC 3261 section 13.2.2.4). An offer may not.
            guard hasInitialOffer else {
                if let rack { await acknowledge(rack, on: side) }
                return cancel(branch)
            }
        }
        if let rack, own.heldAcknowledgement == nil { await acknowledge(rack, on: side) }
        for case .forward(let response, _) in branchSet.receive(
            response, from: branch.number, isLast: stages.isEmpty)
        {
            tellCaller(response, on: own, body: body, isReliable: rack != nil)
        }
    }

    // MARK: Answers

    /// The first 2xx of a branch.
    private func answered(
        _ response: SIPResponse, _ dialog: Dialog, by branch: CallBranch, from source: SIPSource?
    ) async {
        branch.isOver = true
        branch.authentication?.accepted()
        let side = fork(dialog, of: branch, from: source)
        side.dialog?.confirm(with: response)
        side.note(response.headers)
        if let source { side.note(source) }
        let sequence = response.cseq.sequence
        let actions = branchSet.receive(response, from: branch.number, isLast: stages.isEmpty)
        guard initial != nil, actions.contains(.forward(response, from: branch.number)), let place = side.media,
            let own = side.counterpart
        else {
            // The caller has given up, or another was faster.
            await acknowledge(side, sequence: sequence, of: branch)
            await bye(side)
            return await finishIfOver()
        }
        for case .cancel(let number) in actions { cancel(branches[number]) }
        callee = side
        caller = own
        side.timer = SessionTimer(accepted: response)
        do throws(SIPRefusal) {
            let description = response.sessionDescription
            if hasInitialOffer {
                let body = try await answer(description, on: place)
                try await media.choose(place)
                state = .answered
                await acknowledge(side, sequence: sequence, of: branch)
                await answerCaller(body)
            } else if let description, !media.hasAgreement(on: place) {
                _ = try media.receiveOffer(description, from: .callee, on: place)
                let body = try await media.offer(to: .caller, on: place)
                try await media.choose(place)
                state = .answered
                side.gate.receivedOffer()
                side.awaitsAnswer = sequence
                await answerCaller(body)
            } else if let agreed = media.lastDescription(to: .caller, on: place) {
                // Offer and answer passed in a reliable response and its PRACK.
                try await media.choose(place)
                state = .answered
                await acknowledge(side, sequence: sequence, of: branch)
                await answerCaller(agreed)
            } else {
                throw noDescription
            }
            startSessionTimer(side)
        } catch {
            note("the answer of \(side.source?.text ?? "the callee") is of no use: \(Self.reason(of: error))")
            await acknowledge(side, sequence: sequence, of: branch)
            await bye(side)
            await refuse(Self.faultOfCallee(error))
            await finishIfOver()
        }
    }

    /// A refusal as the caller gets it whose own request was right: 400 would blame the caller for the callee's description.
    private static func faultOfCallee(_ error: SIPRefusal) -> SIPRefusal {
        error.status.code == 400 ? SIPRefusal(.badGateway, headers: error.headers) : error
    }

    /// The text of a refusal's Warning, or its phrase.
    private static func reason(of error: SIPRefusal) -> String { error.headers["Warning"] ?? error.status.phrase }

    /// The caller's answer, from the callee's: that of the 2xx, or of a provisional response before it (RFC 3262 section 5).
    private func answer(_ description: [UInt8]?, on place: MediaBranch) async throws(SIPRefusal) -> [UInt8] {
        if let description { return try await media.receiveAnswer(description, from: .callee, on: place) }
        guard media.hasAgreement(on: place), let last = media.lastDescription(to: .caller, on: place) else {
            throw noDescription
        }
        return last
    }

    /// The refusal for want of a session description.
    var noDescription: SIPRefusal {
        OfferAnswerError(.miscellaneous, "the other side described no session").refusal(agent: context.warningAgent)
    }

    /// Repeats the ACK of a 2xx that came again.
    private func repeatAcknowledgement(_ dialog: Dialog, of branch: CallBranch) {
        guard let (request, path) = branch.acknowledgements[dialog.id.remoteTag ?? ""] else { return }
        context.transactions.send(acknowledgement: request, on: path, observer: ladder)
    }

    /// Acknowledges the 2xx of a branch.
    func acknowledge(_ side: CallSide, sequence: UInt32, of branch: CallBranch, body: [UInt8] = []) async {
        await acknowledge(side, sequence: sequence, body: body, authenticated: branch.invite?.request)
        if let acknowledgement = side.acknowledgement {
            branch.acknowledgements[side.dialog?.id.remoteTag ?? ""] = acknowledgement
        }
    }

    /// A further fork has answered: it is acknowledged and ended at once.
    private func endStray(_ response: SIPResponse, _ dialog: Dialog, of branch: CallBranch) {
        let side = CallSide(.callee, of: self, branch: branch.number)
        side.dialog = dialog
        side.dialog?.confirm(with: response)
        if let source = branch.origin { side.note(source) }
        side.note(branch)
        side.contact = branch.path?.contact(isSecure: dialog.isSecure)
        Task { @AgentActor in
            await acknowledge(side, sequence: response.cseq.sequence, of: branch)
            await bye(side)
        }
    }

    private func endStray(_ response: SIPResponse, of branch: CallBranch) {
        guard let request = branch.invite?.request, let dialog = Dialog(ending: request, received: response) else {
            return
        }
        endStray(response, dialog, of: branch)
    }

    // MARK: Failures

    /// A final response other than 2xx.
    private func refused(_ response: SIPResponse, by branch: CallBranch) async {
        if !branch.isCancelled, initial != nil, let request = branch.invite?.request, let path = branch.path {
            if [401, 407].contains(response.status.code) {
                let via = Via(path.destination.transport, path.sentBy, branch: context.branch(for: initial?.request))
                if let again = branch.authentication?.retry(
                    request, after: response, via: via, using: &context.generator)
                {
                    if begin(branch, again) { return }
                } else {
                    note("\(branch.target.requestURI) asks for credentials that this node does not have")
                    // The caller has none for the next hop, either.
                    return await failed(branch, with: SIPResponse(.forbidden, toNothingOf: self))
                }
            }
            if let minimum = SessionTimer.minimum(of: response), minimum > branch.minimumInterval ?? 0 {
                branch.minimumInterval = minimum
                if await send(again: branch) { return }
            }
            if response.status.code == 503, !branch.destinations.isEmpty {
                if let destination = branch.destination { context.resolver.failed(destination) }
                return await tryNext(branch)
            }
            if response.status.isRedirection, redirect(response, by: branch) {
                // The answers of those places count, and not that this one has named them.
                return await failed(branch, with: nil)
            }
        }
        await failed(branch, with: response)
    }

    /// The same offer with other fields.
    private func send(again branch: CallBranch) async -> Bool {
        guard let request = branch.invite?.request else { return false }
        return send(branch, body: request.body)
    }

    /// Calls the places that a 3xx names, before those that are still to be called; false where none may be.
    private func redirect(_ response: SIPResponse, by branch: CallBranch) -> Bool {
        guard let redirector = branch.destination?.address else { return false }
        var others: [[CallTarget]] = []
        for contact in (try? response.headers.addresses("Contact")) ?? [] {
            guard redirections < Self.maximumRedirections else { break }
            redirections += 1
            others += context.targets(
                insteadOf: branch.target, contact.uri, by: redirector, caller: callerAddress, user: user)
        }
        stages.insert(contentsOf: others, at: 0)
        return !others.isEmpty
    }

    private static let maximumRedirections = 5

    /// A branch has failed: with a response, or with none in time.
    func failed(_ branch: CallBranch, with response: SIPResponse?) async {
        guard !branch.isOver else { return }
        branch.isOver = true
        // One that was slower than who has answered.
        if state == .answered { persist() }
        await release(branch)
        let isLast = stages.isEmpty
        let actions =
            response.map { branchSet.receive($0, from: branch.number, isLast: isLast) }
            ?? branchSet.timedOut(branch.number, isLast: isLast)
        await carryOut(actions)
        await callNext()
        await finishIfOver()
    }

    /// Gives up the dialogs and the media of a branch.
    func release(_ branch: CallBranch) async {
        for side in branch.sides.values {
            if let id = side.dialog?.id { context.remove(id) }
            if let place = side.media { await media.endBranch(place) }
        }
        if let place = branch.media { await media.endBranch(place) }
    }

    /// Does what the set of branches decides.
    func carryOut(_ actions: [BranchSet<Int>.Action]) async {
        for action in actions {
            switch action {
            case .cancel(let number): cancel(branches[number])
            // The caller has its answer: what slower destinations say is nobody's.
            case .timedOut where initial == nil, .forward where initial == nil: break
            case .timedOut: await refuse(SIPRefusal(.requestTimeout))
            case .forward(let response, _) where response.status.isProvisional:
                tellCaller(response, on: caller, body: [], isReliable: false)
            case .forward(let response, _): if !response.status.isSuccess { await refuse(with: response) }
            }
        }
    }

    /// Cancels a branch as soon as it can be: after its first provisional response (RFC 3261 section 9.1).
    func cancel(_ branch: CallBranch) {
        guard !branch.isOver, let id = branch.id, let request = branch.invite?.request else { return }
        if branch.isCancelled, !context.transactions.isCancellable(id) { return }
        let isFirst = !branch.isCancelled
        branch.isCancelled = true
        guard context.transactions.isCancellable(id), !branch.isCancelSent else {
            if isFirst { setTimer(.cancelled(branch), after: context.times.timeout) }
            return
        }
        branch.isCancelSent = true
        context.transactions.cancel(id, request: request, client: branch)
        setTimer(.cancelled(branch), after: context.times.timeout)
    }
}
