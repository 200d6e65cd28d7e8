// Rate at which each source asks.

import Timing

/// A rate with a burst by source: the generic cell rate algorithm (ITU-T I.371), in a table of bounded size. Instants are nanoseconds
/// of a clock that does not go back.
public struct RateTable: Sendable {
    /// Nanoseconds between two events at the rate, and how far ahead of it a source may be.
    private let interval: UInt64
    private let tolerance: UInt64
    private let capacity: Int
    /// When each source's events would have come, had they kept to the rate.
    private var times: [SourceKey: UInt64] = [:]

    /// - Parameters:
    ///   - rate: Events in a second, 1 or more.
    ///   - burst: Events that may come at once, 1 or more.
    ///   - capacity: How many sources are remembered; those that were quiet longest are forgotten first.
    public init(rate: Int, burst: Int, capacity: Int = 8192) {
        self.init(interval: 1_000_000_000 / UInt64(max(1, rate)), burst: burst, capacity: capacity)
    }

    /// - Parameter interval: Nanoseconds between two events at the rate.
    public init(interval: UInt64, burst: Int, capacity: Int = 8192) {
        self.interval = max(1, interval)
        tolerance = self.interval.multipliedSaturating(by: UInt64(max(0, burst - 1)))
        self.capacity = max(1, capacity)
    }

    /// Notes events that have come, and returns for how many nanoseconds the source should be left waiting: 0 within its burst.
    public mutating func charge(_ events: Int = 1, to source: SourceKey, now: UInt64) -> UInt64 {
        let cost = interval.multipliedSaturating(by: UInt64(max(0, events)))
        let time = max(times[source] ?? 0, now).addingSaturating(cost)
        note(time, of: source, now: now)
        return time.subtractingSaturating(interval).subtractingSaturating(now.addingSaturating(tolerance))
    }

    /// Takes one event if the source may have it now.
    public mutating func take(_ source: SourceKey, now: UInt64) -> Bool {
        guard wait(of: source, now: now) == 0 else { return false }
        note(max(times[source] ?? 0, now).addingSaturating(interval), of: source, now: now)
        return true
    }

    /// For how many nanoseconds the source has no event left; 0 where it has one.
    public func wait(of source: SourceKey, now: UInt64) -> UInt64 {
        (times[source] ?? 0).subtractingSaturating(now.addingSaturating(tolerance))
    }

    /// Lets the source begin with a whole burst again.
    public mutating func forgive(_ source: SourceKey) { times[source] = nil }

    private mutating func note(_ time: UInt64, of source: SourceKey, now: UInt64) {
        if times[source] == nil, times.count >= capacity { makeRoom(now: now) }
        times[source] = time
    }

    /// Forgets sources that have their whole burst again, and, where these are too few, the quarter that is nearest to it.
    private mutating func makeRoom(now: UInt64) {
        times = times.filter { $0.value > now }
        guard times.count > capacity * 3 / 4 else { return }
        let sorted = times.values.sorted()
        let limit = sorted[sorted.count / 4]
        times = times.filter { $0.value > limit }
    }
}
