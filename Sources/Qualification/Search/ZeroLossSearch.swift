// Search for the largest load without loss: a value that gets outcomes and says what to try next.

/// Searches the largest number for which trials succeed, when they do for small numbers and do not for large ones.
///
/// From a first guess it goes up, or down, in steps that double, until it has one number that succeeded below one that did not,
/// and halves what lies between. A machine has better moments and worse ones: a number that does not succeed is tried once more
/// before it counts as a failure, and the number that is left must succeed twice.
public struct ZeroLossSearch: Hashable, Sendable {
    /// The next step.
    public enum Step: Hashable, Sendable {
        /// Try this number, and `record` the outcome.
        case attempt(Int)
        /// The search is over: the largest number that succeeded, twice, or 0.
        case done(Int)
    }

    /// The largest number that may be tried.
    public let limit: Int
    /// Numbers that differ by less than this part are taken for the same.
    public let resolution: Double
    /// The most trials.
    public let maximumTrials: Int
    private let guess: Int
    private var passed: [Int: Int] = [0: 2]
    private var lowestFailure: Int
    private var stride = 1
    /// A number that did not succeed once.
    private var doubted: Int?
    /// Trials so far.
    public private(set) var trials = 0

    /// - Parameters:
    ///   - guess: Where to begin; taken into 1...limit.
    ///   - resolution: 0.01 for one percent.
    public init(guess: Int, limit: Int, resolution: Double = 0.01, maximumTrials: Int = 28) {
        precondition(limit >= 1, "a search up to \(limit)")
        self.limit = limit
        self.resolution = resolution
        self.maximumTrials = maximumTrials
        self.guess = min(max(guess, 1), limit)
        lowestFailure = limit + 1
    }

    /// The largest number that succeeded below all that failed.
    private var best: Int { passed.keys.filter { $0 < lowestFailure }.max() ?? 0 }

    /// True if the search found a failure, rather than came to its limit.
    public var isBounded: Bool { lowestFailure <= limit }

    /// The next step.
    public var next: Step {
        let best = best
        if trials >= maximumTrials { return .done(mostConfirmed) }
        if trials == 0 { return .attempt(guess) }
        if let doubted { return .attempt(doubted) }
        let gap = max(1, Int(Double(best) * resolution))
        if lowestFailure - best <= gap || best == limit {
            return passed[best, default: 0] >= 2 ? .done(best) : .attempt(best)
        }
        if !isBounded { return .attempt(min(limit, best + step(from: best))) }
        if best == 0 { return .attempt(max(1, lowestFailure - step(from: lowestFailure))) }
        return .attempt(best + (lowestFailure - best) / 2)
    }

    /// The largest number that succeeded twice; when trials ran out, one that succeeded once counts too.
    private var mostConfirmed: Int {
        let below = passed.filter { $0.key < lowestFailure }
        return below.filter { $0.value >= 2 && $0.key > 0 }.keys.max() ?? below.keys.max() ?? 0
    }

    private func step(from number: Int) -> Int { max(1, Int(Double(number) * resolution * 2)) * stride }

    /// Takes note of how a trial ended.
    public mutating func record(_ number: Int, succeeded: Bool) {
        trials += 1
        if succeeded {
            doubted = nil
            passed[number, default: 0] += 1
            if !isBounded { stride *= 2 }
        } else if doubted != number {
            doubted = number
        } else {
            doubted = nil
            lowestFailure = min(lowestFailure, number)
            if best == 0 { stride *= 2 }
        }
    }
}
