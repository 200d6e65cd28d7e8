// One call, and the destinations that are tried for it.

/// Chooses one response from those of several destinations (RFC 3261 section 16.7), in sequence or in parallel.
public struct BranchSet<Branch: Hashable & Sendable>: Sendable {
    /// An action to be carried out.
    public enum Action: Hashable, Sendable {
        /// To the caller: a provisional response, the first 2xx, or the best failure when no other hope is left.
        case forward(SIPResponse, from: Branch)
        /// Cancel a destination that nobody waits for any more.
        case cancel(Branch)
        /// Every destination has failed, and none has answered at all: answer the caller with 408.
        case timedOut
    }

    private var pending: Set<Branch> = []
    private var failures: [(branch: Branch, response: SIPResponse)] = []
    private var isDecided = false
    /// No further destination is to be tried: one has accepted or refused for all, or the caller has given up.
    public private(set) var isClosed = false

    public init() {}

    /// True if all destinations that were tried have failed and the next one may be tried, or the answer is due.
    public var isIdle: Bool { pending.isEmpty }

    /// A destination is being tried.
    public mutating func add(_ branch: Branch) { pending.insert(branch) }

    /// The caller gives up: every destination is cancelled.
    public mutating func cancel() -> [Action] {
        isClosed = true
        return pending.map { .cancel($0) }
    }

    /// A response came from a destination; `isLast` says that no further destination is to be tried after it.
    public mutating func receive(_ response: SIPResponse, from branch: Branch, isLast: Bool) -> [Action] {
        guard pending.contains(branch) else { return [] }
        if response.status.isProvisional {
            return isDecided || response.status.code == 100 ? [] : [.forward(response, from: branch)]
        }
        pending.remove(branch)
        if response.status.isSuccess {
            guard !isDecided else { return [] }
            isDecided = true
            return [.forward(response, from: branch)] + cancel()
        }
        failures.append((branch, response))
        // A 6xx is forwarded when the others, cancelled, have ended (item 5).
        let cancels = response.status.isGlobalFailure && !isClosed ? cancel() : []
        return cancels + finish(isLast: isLast)
    }

    /// A destination has not answered in time: that counts as a 408 without a response.
    public mutating func timedOut(_ branch: Branch, isLast: Bool) -> [Action] {
        pending.remove(branch)
        return finish(isLast: isLast)
    }

    private mutating func finish(isLast: Bool) -> [Action] {
        guard pending.isEmpty, isLast || isClosed, !isDecided else { return [] }
        isDecided = true
        guard let chosen = Self.best(failures) else { return [.timedOut] }
        let branch = chosen.0
        var best = chosen.1
        // The caller may not conclude from one destination's 503 that this node is out of service (item 6).
        if best.status.code == 503 { best.status = .serverInternalError }
        if best.status.code == 401 || best.status.code == 407 {
            // The caller gets the challenges of all destinations (item 7).
            for name in ["WWW-Authenticate", "Proxy-Authenticate"] {
                best.headers.set(name, failures.flatMap { $0.response.headers.all(name) })
            }
        }
        return [.forward(best, from: branch)]
    }

    /// 6xx, else the lowest class, and in it what helps the caller to do better.
    private static func best(_ failures: [(branch: Branch, response: SIPResponse)]) -> (Branch, SIPResponse)? {
        func rank(_ status: SIPStatus) -> (Int, Int) {
            if status.isGlobalFailure { return (0, 0) }
            let helpful = [401, 407, 415, 420, 484].contains(status.code)
            let isOwnDoing = status.code == 487 || status.code == 503
            return (Int(status.code) / 100, helpful ? 0 : isOwnDoing ? 2 : 1)
        }
        return failures.enumerated().min { one, two in
            let ranks = (rank(one.element.response.status), rank(two.element.response.status))
            return ranks.0 == ranks.1 ? one.offset < two.offset : ranks.0 < ranks.1
        }.map { ($0.element.branch, $0.element.response) }
    }
}
