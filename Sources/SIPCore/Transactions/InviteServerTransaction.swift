// A server's INVITE until its final response is acknowledged.

/// The INVITE server transaction (RFC 3261 section 17.2.1 with RFC 6026 section 7.1).
public struct InviteServerTransaction: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        case proceeding, accepted, completed, confirmed, terminated
    }

    public private(set) var state = State.proceeding
    /// Without header fields and body when nobody needs them any more.
    public private(set) var request: SIPRequest
    /// The response that was sent last; of a 2xx, which the transaction user repeats, the head only.
    public private(set) var lastResponse: SIPResponse?
    private let isReliable: Bool
    private let times: TransactionTimes
    private var interval: Duration

    public init(_ request: SIPRequest, isReliable: Bool, times: TransactionTimes) {
        self.request = request
        self.isReliable = isReliable
        self.times = times
        interval = times.t1
    }

    /// Waits for the transaction user, and sends a 100 when it takes long; called once.
    public func start() -> [TransactionAction] { [.setTimer(.trying, after: times.trying)] }

    /// Sends a response of the transaction user. A 2xx may be sent again by it in `accepted`.
    public mutating func send(_ response: SIPResponse) -> [TransactionAction] {
        switch state {
        case .proceeding:
            let stop: [TransactionAction] = lastResponse == nil ? [.cancelTimer(.trying)] : []
            lastResponse = response
            let send = TransactionAction.send(.response(response))
            if response.status.isProvisional { return stop + [send] }
            if response.status.isSuccess {
                state = .accepted
                request.shed()
                lastResponse?.headers = [:]
                lastResponse?.body = []
                return stop + [send, .setTimer(.l, after: times.timeout)]
            }
            state = .completed
            request.shed()
            let timers: [TransactionAction] = isReliable ? [] : [.setTimer(.g, after: interval)]
            return stop + [send] + timers + [.setTimer(.h, after: times.timeout)]
        case .accepted:
            return response.status.isSuccess ? [.send(.response(response))] : []
        case .completed, .confirmed, .terminated: return []
        }
    }

    /// The INVITE came again.
    public func receiveRetransmission() -> [TransactionAction] {
        guard state == .proceeding || state == .completed, let lastResponse else { return [] }
        return [.send(.response(lastResponse))]
    }

    /// An ACK came. In `accepted` it belongs to the transaction user.
    public mutating func receiveAcknowledgement() -> [TransactionAction] {
        guard state == .completed else { return [] }
        state = isReliable ? .terminated : .confirmed
        let stop: [TransactionAction] = isReliable ? [.cancelTimer(.h)] : [.cancelTimer(.g), .cancelTimer(.h)]
        return stop + [isReliable ? .terminated : .setTimer(.i, after: times.t4)]
    }

    public mutating func fired(_ timer: TransactionTimer) -> [TransactionAction] {
        switch (timer, state) {
        case (.trying, .proceeding):
            guard lastResponse == nil else { return [] }
            let trying = SIPResponse(.trying, to: request, tag: nil)
            lastResponse = trying
            return [.send(.response(trying))]
        case (.g, .completed):
            guard let lastResponse else { return [] }
            interval = min(interval * 2, times.t2)
            return [.send(.response(lastResponse)), .setTimer(.g, after: interval)]
        case (.h, .completed):
            state = .terminated
            return [.cancelTimer(.g), .timedOut, .terminated]
        case (.i, .confirmed), (.l, .accepted):
            state = .terminated
            return [.terminated]
        default: return []
        }
    }

    /// The transport could not send.
    public mutating func transportFailed() -> [TransactionAction] {
        // A 2xx is sent again by the transaction user, who knows then (RFC 6026 section 7.1).
        guard state == .proceeding || state == .completed else { return [.transportFailed] }
        state = .terminated
        return [.transportFailed, .terminated]
    }
}
