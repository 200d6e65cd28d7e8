// One destination that is being called.

import AgentSupport
import RTPWire
import SIPCore

/// The INVITE to one destination, with the dialogs that proxies on the way make of it. Its responses are events of the call.
@AgentActor
final class CallBranch: Transactions.Client {
    let number: Int
    let call: Call
    let target: CallTarget
    /// The places of the destination that have not been tried yet (RFC 3263 section 4.3).
    var destinations: [SIPDestination] = []
    /// The place that is being tried.
    var destination: SIPDestination?
    var invite: ForkedInvite?
    var path: SIPPath?
    /// The running transaction: another one after a challenge, a 422 or for the next place.
    var id: TransactionID?
    /// The media of the first dialog; further ones split it.
    var media: MediaBranch?
    /// The dialogs by the peer's tag.
    var sides: [String: CallSide] = [:]
    var receivers: [String: ReliableProvisionalReceiver] = [:]
    /// Nobody waits for it any more: it is cancelled as soon as it can be.
    var isCancelled = false
    var isCancelSent = false
    /// The final response has come.
    var isOver = false
    /// When it has rung long enough, and when a provisional response must have come again (timer C, RFC 3261 section 16.6 item 11):
    /// nanoseconds of the monotonic clock, nil where nothing runs.
    var ringsUntil: UInt64?
    var livesUntil: UInt64?
    var authentication: SIPAuthenticationClient?
    var minimumInterval: UInt32?
    /// The ACKs of 2xx by the peer's tag.
    var acknowledgements: [String: (request: SIPRequest, path: SIPPath)] = [:]

    init(_ number: Int, call: Call, target: CallTarget) {
        self.number = number
        self.call = call
        self.target = target
    }

    /// The place that the INVITE went to, as if a message had come from there.
    var origin: SIPSource? {
        path.map { path in
            SIPSource(
                transport: path.destination.transport, address: path.destination.address,
                transportPort: path.destination.transportPort, localAddress: path.localAddress,
                localPort: path.localPort, connection: path.connection)
        }
    }

    func received(_ response: SIPResponse, to id: TransactionID, from source: SIPSource) {
        call.post(.branch(self, id, .response(response), source))
    }

    func timedOut(_ id: TransactionID) { call.post(.branch(self, id, .timedOut, nil)) }
    func undeliverable(_ id: TransactionID) { call.post(.branch(self, id, .undeliverable, nil)) }
}
