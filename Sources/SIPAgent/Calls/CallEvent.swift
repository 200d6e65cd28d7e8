// Events of a call.

import SIPCore

/// One event, to be handled when those before it have been.
enum CallEvent {
    /// The call begins.
    case start
    /// A request within a dialog of the call.
    case request(ServerRequest, CallSide)
    /// An ACK of a 2xx.
    case acknowledgement(SIPRequest, CallSide)
    /// The INVITE of this transaction is to be given up.
    case cancelled(TransactionID)
    /// No ACK of a failure came, or a response could not be sent.
    case unanswerable(TransactionID)
    /// A response to the INVITE of a branch.
    case branch(CallBranch, TransactionID, Outcome, SIPSource?)
    /// A response to a request within a dialog.
    case response(OutgoingRequest, TransactionID?, Outcome, SIPSource?)
    case timer(CallTimer)
    /// A second has passed, in which something with a long time ran out (nanoseconds of the monotonic clock).
    case tick(UInt64)
    /// The call was not answered when an earlier daemon ended.
    case restarted
    /// An operator or the node ends the call.
    case close(reason: String)

    /// True if it is none of those that a peer can send any number of.
    var isOwn: Bool {
        switch self {
        case .request, .acknowledgement: false
        case .branch(_, _, .response(let response), _), .response(_, _, .response(let response), _):
            response.status.isFinal
        default: true
        }
    }

    /// The outcome of a request.
    enum Outcome {
        case response(SIPResponse)
        case timedOut
        case undeliverable
    }
}

/// The short waits of a call; the numbers distinguish a timer from an earlier one of its kind.
enum CallTimer {
    /// The 2xx on a side has not been acknowledged.
    case acknowledgement(CallSide, UInt32)
    /// A reliable provisional response has not been acknowledged.
    case provisional(CallSide, UInt32)
    /// The cancelled branch never got its final response.
    case cancelled(CallBranch)
    case cancelledRequest(OutgoingRequest)
    /// A refresh that met with a 491 is tried again.
    case retry(CallSide, UInt32)
}
