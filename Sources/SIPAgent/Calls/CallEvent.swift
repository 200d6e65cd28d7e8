// What happens to a call.

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
    /// An operator or the node ends the call.
    case close(reason: String)

    /// What became of a request.
    enum Outcome {
        case response(SIPResponse)
        case timedOut
        case undeliverable
    }
}

/// What a call waits for; the numbers tell a timer from an earlier one of its kind.
enum CallTimer {
    /// The 2xx on a side has not been acknowledged.
    case acknowledgement(CallSide, UInt32)
    /// A reliable provisional response has not been acknowledged.
    case provisional(CallSide, UInt32)
    /// A branch has rung long enough, or has shown no life (timer C).
    case ringing(CallBranch)
    case life(CallBranch, UInt32)
    /// The cancelled branch never got its final response.
    case cancelled(CallBranch)
    case cancelledRequest(OutgoingRequest)
    /// The session on a side is to be refreshed, or has expired.
    case refresh(CallSide, UInt32)
    case expiry(CallSide, UInt32)
    /// A refresh that met with a 491 is tried again.
    case retry(CallSide, UInt32)
    /// Nobody asks for the dialogs of an ended call any more.
    case forgotten
}
