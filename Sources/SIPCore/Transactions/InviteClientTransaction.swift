// A client's INVITE until its final response is acknowledged.

/// The INVITE client transaction (RFC 3261 section 17.1.1 with RFC 6026 section 7.2).
public struct InviteClientTransaction: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        case calling, proceeding, accepted, completed, terminated
    }

    public private(set) var state = State.calling
    /// Without header fields and body when nobody needs them any more.
    public private(set) var request: SIPRequest
    private let isReliable: Bool
    private let times: TransactionTimes
    private var interval: Duration
    private var acknowledgement: SIPRequest?

    public init(_ request: SIPRequest, isReliable: Bool, times: TransactionTimes) {
        self.request = request
        self.isReliable = isReliable
        self.times = times
        interval = times.t1
    }

    /// An INVITE that was sent before and may have got a provisional response since: only its final response is waited for.
    public init(resuming request: SIPRequest, isReliable: Bool, times: TransactionTimes) {
        self.init(request, isReliable: isReliable, times: times)
        state = .proceeding
    }

    /// Sends the request; called once.
    public func start() -> [TransactionAction] {
        let timers: [TransactionAction] = isReliable ? [] : [.setTimer(.a, after: interval)]
        return [.send(.request(request))] + timers + [.setTimer(.b, after: times.timeout)]
    }

    public mutating func receive(_ response: SIPResponse) -> [TransactionAction] {
        switch state {
        case .calling, .proceeding:
            let stop: [TransactionAction] = state == .calling ? [.cancelTimer(.a), .cancelTimer(.b)] : []
            if response.status.isProvisional {
                state = .proceeding
                return stop + [.deliver(response)]
            }
            if response.status.isSuccess {
                state = .accepted
                request.shed()
                return stop + [.deliver(response), .setTimer(.m, after: times.timeout)]
            }
            let acknowledgement = request.acknowledgement(ofFailure: response)
            self.acknowledgement = acknowledgement
            state = isReliable ? .terminated : .completed
            request.shed()
            let rest: TransactionAction = isReliable ? .terminated : .setTimer(.d, after: times.d)
            return stop + [.send(.request(acknowledgement)), .deliver(response), rest]
        case .accepted:
            // Further 2xx of other forks, and repeated ones, each want an ACK of the user agent core.
            return response.status.isSuccess ? [.deliver(response)] : []
        case .completed:
            guard response.status.isFinal, !response.status.isSuccess, let acknowledgement else { return [] }
            return [.send(.request(acknowledgement))]
        case .terminated: return []
        }
    }

    public mutating func fired(_ timer: TransactionTimer) -> [TransactionAction] {
        switch (timer, state) {
        case (.a, .calling):
            interval *= 2
            return [.send(.request(request)), .setTimer(.a, after: interval)]
        case (.b, .calling):
            state = .terminated
            return [.cancelTimer(.a), .timedOut, .terminated]
        case (.d, .completed), (.m, .accepted):
            state = .terminated
            return [.terminated]
        default: return []
        }
    }

    /// The transport could not send.
    public mutating func transportFailed() -> [TransactionAction] {
        guard state != .terminated else { return [] }
        // After a 2xx there is nothing left to send here.
        guard state != .accepted else { return [] }
        state = .terminated
        return [.transportFailed, .terminated]
    }

    /// Ends a transaction that got provisional responses only, when timer C or a CANCEL had no effect
    /// (RFC 3261 sections 9.1 and 16.8).
    public mutating func abandon() -> [TransactionAction] {
        guard state == .calling || state == .proceeding else { return [] }
        state = .terminated
        return [.timedOut, .terminated]
    }
}
