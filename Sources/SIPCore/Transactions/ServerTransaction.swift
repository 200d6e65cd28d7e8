// A server's request other than INVITE.

/// The non-INVITE server transaction (RFC 3261 section 17.2.2).
public struct ServerTransaction: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        case trying, proceeding, completed, terminated
    }

    public private(set) var state = State.trying
    /// Without header fields and body when nobody needs them any more.
    public private(set) var request: SIPRequest
    /// The response that was sent last.
    public private(set) var lastResponse: SIPResponse?
    private let isReliable: Bool
    private let times: TransactionTimes

    public init(_ request: SIPRequest, isReliable: Bool, times: TransactionTimes) {
        self.request = request
        self.isReliable = isReliable
        self.times = times
    }

    /// Sends a response of the transaction user.
    public mutating func send(_ response: SIPResponse) -> [TransactionAction] {
        guard state == .trying || state == .proceeding else { return [] }
        lastResponse = response
        if response.status.isProvisional {
            state = .proceeding
            return [.send(.response(response))]
        }
        state = isReliable ? .terminated : .completed
        request.shed()
        return [.send(.response(response)), isReliable ? .terminated : .setTimer(.j, after: times.timeout)]
    }

    /// The request came again.
    public func receiveRetransmission() -> [TransactionAction] {
        guard state == .proceeding || state == .completed, let lastResponse else { return [] }
        return [.send(.response(lastResponse))]
    }

    public mutating func fired(_ timer: TransactionTimer) -> [TransactionAction] {
        guard timer == .j, state == .completed else { return [] }
        state = .terminated
        return [.terminated]
    }

    /// The transport could not send.
    public mutating func transportFailed() -> [TransactionAction] {
        guard state != .terminated else { return [] }
        state = .terminated
        return [.transportFailed, .terminated]
    }
}
