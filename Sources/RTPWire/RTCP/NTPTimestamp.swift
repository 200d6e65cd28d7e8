// The time of day as sender reports carry it.

/// A time of NTP: seconds since 1900, modulo 2^32, and a fraction of 2^-32 s (RFC 3550 section 4).
public struct NTPTimestamp: Hashable, Sendable {
    public var seconds: UInt32
    public var fraction: UInt32

    public init(seconds: UInt32, fraction: UInt32) {
        self.seconds = seconds
        self.fraction = fraction
    }

    /// The time that is `unixNanoseconds` after the Unix epoch.
    public init(unixNanoseconds: UInt64) {
        let (seconds, rest) = unixNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        // 70 years with 17 leap days lie between the epochs.
        self.init(
            seconds: UInt32(truncatingIfNeeded: seconds &+ 2_208_988_800), fraction: UInt32(rest << 32 / 1_000_000_000))
    }

    /// The middle 32 bits: 16 of seconds, 16 of fraction.
    public var middle: UInt32 { seconds << 16 | fraction >> 16 }
}
