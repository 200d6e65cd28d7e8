// Actions that a transaction asks of its surroundings.

/// One effect, to be carried out in order.
public enum TransactionAction: Hashable, Sendable {
    /// To the transport.
    case send(SIPMessage)
    /// To the transaction user of a client transaction.
    case deliver(SIPResponse)
    /// Fire once after this time; it replaces the timer of the same name.
    case setTimer(TransactionTimer, after: Duration)
    case cancelTimer(TransactionTimer)
    /// To the transaction user of a client transaction: to be treated as a 408 (RFC 3261 section 8.1.3.1). Of a server
    /// transaction: no ACK came.
    case timedOut
    /// To the transaction user: the message could not be sent; to a client this is a 503.
    case transportFailed
    /// The transaction is over: forget it and all its timers.
    case terminated
}
