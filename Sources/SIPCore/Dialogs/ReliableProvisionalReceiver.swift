// Provisional responses that arrive: the client's side.

/// Puts reliable provisional responses of one dialog in order (RFC 3262 section 4).
public struct ReliableProvisionalReceiver: Hashable, Sendable {
    /// The verdict on a provisional response.
    public enum Verdict: Hashable, Sendable {
        /// Not reliable: nothing to acknowledge.
        case unreliable
        /// Acknowledge with a PRACK that has this RAck.
        case acknowledge(RAck)
        /// One that came before, or before its turn: drop it; the server repeats what is missing.
        case drop
    }

    private var last: UInt32?

    public init() {}

    public mutating func receive(_ response: SIPResponse) -> Verdict {
        guard response.status.code > 100, response.status.isProvisional,
            response.headers.contains("100rel", in: "Require"), let sequence: UInt32 = response.headers.number("RSeq")
        else { return .unreliable }
        if let last, sequence != last &+ 1 { return .drop }
        last = sequence
        return .acknowledge(RAck(sequence, response.cseq))
    }
}
