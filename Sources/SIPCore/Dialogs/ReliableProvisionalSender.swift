// Provisional responses that arrive: the server's side.

/// Sends provisional responses with 100rel, one at a time (RFC 3262 section 3).
public struct ReliableProvisionalSender: Hashable, Sendable {
    /// The step to be taken.
    public enum Step: Hashable, Sendable {
        /// Send the response, and ask again after this time.
        case send(SIPResponse, next: Duration)
        /// No PRACK came: answer the INVITE with a 504.
        case giveUp
    }

    private let times: TransactionTimes
    private let capacity: Int
    private var sequence: UInt32
    private var waiting: [SIPResponse] = []
    private var current: SIPResponse?
    private var interval: Duration
    private var elapsed = Duration.zero

    /// - Parameter firstSequence: a random number, 1 to 2^31 - 1.
    public init(firstSequence: UInt32, capacity: Int = 8, times: TransactionTimes = TransactionTimes()) {
        precondition((1...0x7fff_ffff).contains(firstSequence), "the first RSeq is 1 to 2^31 - 1")
        self.times = times
        self.capacity = capacity
        sequence = firstSequence - 1
        interval = times.t1
    }

    /// True if a response has not been acknowledged; a 2xx to an offer in it must wait (section 3).
    public var isUnacknowledged: Bool { current != nil }

    /// Sends a response above 100, at once or after those before it; nil where it waits, or is one too many.
    public mutating func send(_ response: SIPResponse) -> Step? {
        guard current == nil else {
            if waiting.count < capacity { waiting.append(response) }
            return nil
        }
        return begin(response)
    }

    private mutating func begin(_ response: SIPResponse) -> Step {
        sequence += 1
        var response = response
        response.headers["RSeq"] = String(sequence)
        if !response.headers.contains("100rel", in: "Require") { response.headers.append("Require", "100rel") }
        current = response
        interval = times.t1
        elapsed = .zero
        return .send(response, next: interval)
    }

    /// The time has passed without a PRACK.
    public mutating func step() -> Step? {
        guard let current else { return nil }
        elapsed += interval
        if elapsed >= times.timeout {
            self.current = nil
            waiting = []
            return .giveUp
        }
        interval *= 2
        return .send(current, next: interval)
    }

    /// A PRACK came: answer it with 200 where it acknowledges what was sent last, and 481 otherwise. The next response,
    /// where one waits, is to be sent then.
    public mutating func receive(_ rack: RAck?) -> (isMatching: Bool, next: Step?) {
        guard let current, let rack, rack.responseSequence == sequence, rack.cseq == current.cseq else {
            return (false, nil)
        }
        self.current = nil
        return (true, waiting.isEmpty ? nil : begin(waiting.removeFirst()))
    }

    /// The INVITE has its final response.
    public mutating func stop() {
        current = nil
        waiting = []
    }
}
