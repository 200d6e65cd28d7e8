// Times that transactions wait.

/// The times that RFC 3261 table 4 derives the timers from.
public struct TransactionTimes: Hashable, Sendable {
    /// An estimate of the round-trip time.
    public var t1: Duration
    /// The longest time between two retransmissions of what is not an INVITE.
    public var t2: Duration
    /// The time for which a message may stay in the network.
    public var t4: Duration
    /// The time for which a client waits for retransmitted final responses to INVITE (timer D), at least 32 s.
    public var d: Duration
    /// The time for which the user of a client transaction waits for the final response to an INVITE after each
    /// provisional one other than 100, more than three minutes; then it sends a CANCEL (timer C, RFC 3261 section 16.6
    /// item 11).
    public var c: Duration
    /// The time for which a server waits before it sends a 100 on its own.
    public var trying: Duration

    public init(
        t1: Duration = .milliseconds(500), t2: Duration = .seconds(4), t4: Duration = .seconds(5),
        d: Duration = .seconds(32), c: Duration = .seconds(185), trying: Duration = .milliseconds(200)
    ) {
        self.t1 = t1
        self.t2 = t2
        self.t4 = t4
        self.d = d
        self.c = c
        self.trying = trying
    }

    /// The time for which a transaction is tried: timers B, F, H, J, L and M.
    public var timeout: Duration { t1 * 64 }
}
