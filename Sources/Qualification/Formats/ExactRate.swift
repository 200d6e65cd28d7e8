// Rates that are no whole numbers: 60000/1001 frames a second.

/// A positive rational number of events per second, in lowest terms.
public struct ExactRate: Hashable, Sendable {
    public let numerator: UInt64
    public let denominator: UInt64

    /// `numerator` events in `denominator` seconds; neither is 0.
    public init(_ numerator: UInt64, _ denominator: UInt64 = 1) {
        precondition(numerator > 0 && denominator > 0, "a rate of \(numerator)/\(denominator)")
        var (a, b) = (numerator, denominator)
        while b > 0 { (a, b) = (b, a % b) }
        self.numerator = numerator / a
        self.denominator = denominator / a
    }

    /// Events per second, rounded.
    public var perSecond: Double { Double(numerator) / Double(denominator) }

    /// So many of these at once.
    public static func * (rate: ExactRate, factor: UInt64) -> ExactRate {
        ExactRate(rate.numerator * factor, rate.denominator)
    }

    /// The time between two events in 1/65536 ns, rounded down; at least 1.
    var interval: UInt64 {
        let second: UInt64 = 1_000_000_000 << 16
        let (high, low) = second.multipliedFullWidth(by: denominator)
        guard high < numerator else { return .max }
        return max(1, numerator.dividingFullWidth((high, low)).quotient)
    }
}
