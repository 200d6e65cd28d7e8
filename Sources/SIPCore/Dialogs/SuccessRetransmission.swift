// A 2xx until its ACK has come.

/// Repeats a 2xx to an INVITE, over any transport, until it is acknowledged (RFC 3261 section 13.3.1.4).
public struct SuccessRetransmission: Hashable, Sendable {
    /// The step to be taken when the time has passed.
    public enum Step: Hashable, Sendable {
        /// Send the response again and ask again after this time.
        case send(SIPResponse, next: Duration)
        /// No ACK came: end the session with a BYE.
        case giveUp
    }

    public let response: SIPResponse
    private let times: TransactionTimes
    private var interval: Duration
    private var elapsed = Duration.zero

    /// The response has been sent once; `step` is due after `firstInterval`.
    public init(_ response: SIPResponse, times: TransactionTimes = TransactionTimes()) {
        self.response = response
        self.times = times
        interval = times.t1
    }

    public var firstInterval: Duration { times.t1 }

    /// True if an ACK is the one that is waited for.
    public func isAcknowledged(by acknowledgement: SIPRequest) -> Bool {
        acknowledgement.sequence == response.cseq.sequence && acknowledgement.callID == response.callID
            && acknowledgement.to.tag == response.to.tag && acknowledgement.from.tag == response.from.tag
    }

    /// The time has passed without an ACK.
    public mutating func step() -> Step {
        elapsed += interval
        if elapsed >= times.timeout { return .giveUp }
        interval = min(interval * 2, times.t2, times.timeout - elapsed)
        return .send(response, next: interval)
    }
}
