// Instants and deadlines on a monotonic clock, without arithmetic that can wrap or trap.

/// The moment at which a timer fires: nanoseconds on a monotonic clock.
///
/// All arithmetic saturates. A deadline that has passed has nothing remaining, and one beyond the clock's range is
/// `Deadline.never`; a late event is an ordinary case, since every timer fires after its deadline.
public struct Deadline: Hashable, Comparable, Sendable {
    /// Nanoseconds since the clock's origin.
    public let nanoseconds: UInt64

    /// A deadline at an instant of the clock.
    public init(at nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// A deadline `interval` nanoseconds after the instant `now`.
    public init(_ interval: UInt64, after now: UInt64) { nanoseconds = now.addingSaturating(interval) }

    /// A deadline that does not come.
    public static let never = Deadline(at: .max)

    /// The nanoseconds from `now` to the deadline; 0 once it has passed.
    public func remaining(at now: UInt64) -> UInt64 { nanoseconds.subtractingSaturating(now) }

    /// The same, as a delay that timers take: `slack` nanoseconds longer, and never negative or beyond `Int64`.
    public func delay(at now: UInt64, slack: UInt64 = 0) -> Int64 {
        Int64(clamping: remaining(at: now).addingSaturating(slack))
    }

    /// True where the deadline has passed at `now`.
    public func hasPassed(at now: UInt64) -> Bool { nanoseconds <= now }

    public static func < (one: Deadline, other: Deadline) -> Bool { one.nanoseconds < other.nanoseconds }
}

extension Duration {
    /// The whole nanoseconds: 0 of a negative time, and the largest number of one that is longer.
    public var saturatedNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(clamping: seconds).multipliedSaturating(by: 1_000_000_000)
            .addingSaturating(UInt64(clamping: attoseconds / 1_000_000_000))
    }

    /// A time of so many nanoseconds, or the longest that 64 bits with a sign hold.
    public static func saturating(nanoseconds: UInt64) -> Duration { .nanoseconds(Int64(clamping: nanoseconds)) }
}

extension UInt64 {
    /// The nanoseconds of so many seconds: 0 of what is negative or not a number, and the largest number of what is longer.
    public init(saturatingSeconds seconds: Double) {
        let nanoseconds = seconds * 1_000_000_000
        self = nanoseconds > 0 ? UInt64(exactly: nanoseconds.rounded(.down)) ?? .max : 0
    }

    /// The sum, or the largest number where that overflows.
    public func addingSaturating(_ other: UInt64) -> UInt64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }

    /// The difference, or 0 where `other` is larger: the nanoseconds since `other`, where both are instants.
    public func subtractingSaturating(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }

    /// The product, or the largest number where that overflows.
    public func multipliedSaturating(by other: UInt64) -> UInt64 {
        let (product, overflows) = multipliedReportingOverflow(by: other)
        return overflows ? .max : product
    }
}
