// Actions that the transaction layer asks of its surroundings.

/// One effect, to be carried out in order.
public enum TransactionEvent: Hashable, Sendable {
    /// Of one transaction.
    case transaction(TransactionID, TransactionAction)
    /// A request begins a server transaction: answer it with `respond`.
    case request(TransactionID, SIPRequest)
    /// An ACK of a 2xx, which belongs to a dialog.
    case acknowledgement(SIPRequest)
    /// The INVITE of this transaction, which has no final response yet, is to be given up: answer it with a 487. The
    /// CANCEL has been answered.
    case cancelled(TransactionID, by: SIPRequest)
    /// A 2xx to an INVITE whose transaction is over: its dialog repeats the ACK, and nobody else wants it.
    case strayResponse(SIPResponse)
    /// A response that is sent without a transaction.
    case respond(SIPResponse)
}
