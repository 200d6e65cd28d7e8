// A call that outlives the daemon.

import AgentSupport
import RTPWire
import SIPCore

extension Call {
    /// Writes an answered call into the journal; to be done before the message that makes a change known.
    func persist() {
        guard state == .answered, let media = media.record, let callee, let callerRecord = CallRecord.Side(caller),
            let calleeRecord = CallRecord.Side(callee)
        else { return }
        let pending = pendingInvites
        context.journal.write(
            CallRecord(
                name: name, target: target, user: user, callerAddress: callerAddress.description, startedAt: startedAt,
                caller: callerRecord, callee: calleeRecord, media: media, branches: pending.isEmpty ? nil : pending))
    }

    /// The same of a call that nobody has answered: before an INVITE whose end somebody may have to learn of.
    func persistUnanswered() {
        context.journal.write(
            UnansweredCallRecord(
                name: name, target: target, user: user, callerAddress: callerAddress.description, startedAt: startedAt,
                caller: initial.map { .init($0.request, .init($0.source)) }, tag: caller.dialog?.id.localTag,
                branches: pendingInvites))
    }

    /// The INVITEs that have no final response.
    private var pendingInvites: [UnansweredCallRecord.Invite] {
        branches.filter { !$0.isOver }.compactMap { branch in
            guard let request = branch.invite?.request, let path = branch.path else { return nil }
            return UnansweredCallRecord.Invite(request, .init(path))
        }
    }

    /// Forgets an ended call, as soon as nobody has to be cancelled any more.
    func removeFromJournal(hadAnswer: Bool) {
        if hadAnswer || branches.allSatisfy(\.isOver) { context.journal.remove(name) } else { persistUnanswered() }
    }

    /// Goes on with a call of an earlier daemon.
    func takeUp(pending: [UnansweredCallRecord.Invite] = []) {
        for side in sides {
            if let id = side.dialog?.id { context.add(side, as: id) }
            if state == .answered { startSessionTimer(side) }
        }
        context.reserve(name: name)
        context.add(self)
        for invite in pending { resume(invite) }
        note("taken over from an earlier daemon")
        if state == .answered { persist() } else { persistUnanswered() }
    }

    /// Waits again for the final response to what an earlier daemon has sent.
    private func resume(_ invite: UnansweredCallRecord.Invite) {
        guard let request = invite.request, let path = invite.place.path else { return }
        let branch = CallBranch(
            branches.count, call: self,
            target: CallTarget(requestURI: request.uri, destination: request.uri, ringTime: 0, protection: .relay))
        branch.path = path
        branch.destination = path.destination
        branch.invite = ForkedInvite(request)
        branch.id = context.transactions.resume(request, on: path, client: branch, observer: ladder)
        guard branch.id != nil else { return }
        branches.append(branch)
        branchSet.add(branch.number)
    }

    /// A call that rang when the daemon ended cannot continue: its agreement is not known. The caller may try again, and no
    /// destination rings on for nobody.
    func giveUp() async {
        guard initial == nil else {
            return await refuse(SIPRefusal(.serviceUnavailable, headers: ["Retry-After": "1"]))
        }
        for action in branchSet.cancel() { if case .cancel(let number) = action { cancel(branches[number]) } }
        if state != .answered { await finish(reason: "it had ended before the daemon did") }
    }
}
