// A call that outlives the daemon.

import AgentSupport
import RTPWire
import SIPCore

extension Call {
    /// Writes the call into the journal; to be done before the message that makes a change known.
    func persist() {
        guard state == .answered, let media = media.record, let callee, let callerRecord = Self.record(of: caller),
            let calleeRecord = Self.record(of: callee)
        else { return }
        context.journal.write(
            CallRecord(
                name: name, target: target, user: user, callerAddress: callerAddress.description, startedAt: startedAt,
                caller: callerRecord, callee: calleeRecord, media: media))
    }

    private static func record(of side: CallSide) -> CallRecord.Side? {
        guard let dialog = side.dialog else { return nil }
        return CallRecord.Side(
            dialog: dialog, contact: side.contact?.description, peer: side.source?.address.description,
            peerPort: side.source?.transportPort, isSecure: side.isSecure, timer: side.timer,
            minimumInterval: side.minimumInterval, allowed: side.allowed?.map(\.name).sorted(),
            credentialsUser: side.credentials?.user, passwordFile: side.credentials?.passwordFile)
    }
}
