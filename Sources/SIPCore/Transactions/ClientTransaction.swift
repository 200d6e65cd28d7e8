// A client's request other than INVITE.

/// The non-INVITE client transaction (RFC 3261 section 17.1.2).
public struct ClientTransaction: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        case trying, proceeding, completed, terminated
    }

    public private(set) var state = State.trying
    /// Without header fields and body when nobody needs them any more.
    public private(set) var request: SIPRequest
    private let isReliable: Bool
    private let times: TransactionTimes
    private var interval: Duration

    public init(_ request: SIPRequest, isReliable: Bool, times: TransactionTimes) {
        self.request = request
        self.isReliable = isReliable
        self.times = times
        interval = times.t1
    }

    /// Sends the request; called once.
    public func start() -> [TransactionAction] {
        let timers: [TransactionAction] = isReliable ? [] : [.setTimer(.e, after: interval)]
        return [.send(.request(request))] + timers + [.setTimer(.f, after: times.timeout)]
    }

    public mutating func receive(_ response: SIPResponse) -> [TransactionAction] {
        guard state == .trying || state == .proceeding else { return [] }
        if response.status.isProvisional {
            state = .proceeding
            return [.deliver(response)]
        }
        let stop: [TransactionAction] = isReliable ? [.cancelTimer(.f)] : [.cancelTimer(.e), .cancelTimer(.f)]
        state = isReliable ? .terminated : .completed
        request.shed()
        return stop + [.deliver(response), isReliable ? .terminated : .setTimer(.k, after: times.t4)]
    }

    public mutating func fired(_ timer: TransactionTimer) -> [TransactionAction] {
        switch (timer, state) {
        case (.e, .trying), (.e, .proceeding):
            interval = state == .proceeding ? times.t2 : min(interval * 2, times.t2)
            return [.send(.request(request)), .setTimer(.e, after: interval)]
        case (.f, .trying), (.f, .proceeding):
            state = .terminated
            return [.cancelTimer(.e), .timedOut, .terminated]
        case (.k, .completed):
            state = .terminated
            return [.terminated]
        default: return []
        }
    }

    /// The transport could not send.
    public mutating func transportFailed() -> [TransactionAction] {
        guard state == .trying || state == .proceeding else { return [] }
        state = .terminated
        return [.transportFailed, .terminated]
    }
}
