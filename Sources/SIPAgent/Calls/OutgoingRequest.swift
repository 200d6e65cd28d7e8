// A request of this node within a dialog.

import AgentSupport
import SIPCore

/// A request and what it is for. Its responses are events of the call.
@AgentActor
final class OutgoingRequest: Transactions.Client {
    /// The purpose of the response.
    enum Purpose {
        /// To end the dialog; nobody waits.
        case bye
        /// To change the session: the other side asked for it by this request, an INVITE or an UPDATE, with an offer or without.
        case change(ServerRequest, from: CallSide, hasOffer: Bool)
        /// To keep the session alive.
        case refresh
        /// To acknowledge a reliable provisional response, with an answer or without.
        case acknowledge
        /// To pass on a request of the other side.
        case relay(ServerRequest, from: CallSide)
        /// To cancel an INVITE; nobody waits.
        case cancel
    }

    let call: Call
    let side: CallSide
    let purpose: Purpose
    var request: SIPRequest
    /// The running transaction: another one after a challenge.
    var id: TransactionID?
    /// Somebody wants it cancelled as soon as it can be.
    var isCancelled = false

    init(_ request: SIPRequest, call: Call, side: CallSide, purpose: Purpose) {
        self.request = request
        self.call = call
        self.side = side
        self.purpose = purpose
    }

    func received(_ response: SIPResponse, to id: TransactionID, from source: SIPSource) {
        call.post(.response(self, id, .response(response), source))
    }

    func timedOut(_ id: TransactionID) { call.post(.response(self, id, .timedOut, nil)) }
    func undeliverable(_ id: TransactionID) { call.post(.response(self, id, .undeliverable, nil)) }
}
