// A call that outlives the daemon.

import AgentSupport
import RTPWire
import SIPCore

extension Call {
    /// Writes the call into the journal; to be done before the message that makes a change known.
    func persist() {
        guard state == .answered, let media = media.record, let callee, let callerRecord = CallRecord.Side(caller),
            let calleeRecord = CallRecord.Side(callee)
        else { return }
        context.journal.write(
            CallRecord(
                name: name, target: target, user: user, callerAddress: callerAddress.description, startedAt: startedAt,
                caller: callerRecord, callee: calleeRecord, media: media))
    }

    /// Goes on with a call of an earlier daemon.
    func takeUp() {
        for side in sides {
            if let id = side.dialog?.id { context.add(side, as: id) }
            startSessionTimer(side)
        }
        context.reserve(name: name)
        context.add(self)
        note("taken over from an earlier daemon")
        persist()
    }
}
