// The timers of transactions.

/// A timer of RFC 3261 table 4 or RFC 6026.
public enum TransactionTimer: String, Hashable, Sendable, CaseIterable {
    /// INVITE request retransmission, time-out, and wait for retransmitted final responses.
    case a, b, d
    /// Non-INVITE request retransmission, time-out, and wait for retransmitted responses.
    case e, f, k
    /// INVITE final response retransmission, time-out, and wait for retransmitted ACKs.
    case g, h, i
    /// Wait for retransmitted non-INVITE requests.
    case j
    /// Wait for retransmitted INVITEs, and for further 2xx, after a 2xx (RFC 6026).
    case l, m
    /// When a 100 is sent because nobody else has answered (RFC 3261 section 17.2.1).
    case trying
}
