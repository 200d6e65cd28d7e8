// Epoch that distinguishes the starts of one sender.

import Glibc

/// The time at which a sender began with a new key, and a random number: unlike any other, and newer than the ones before.
///
/// It travels in front of each packet's MKI, 10 bytes: time first, so that bytes in order are starts in order.
public struct LinkEpoch: Hashable, Sendable, Comparable {
    /// In units of 1/256 s since 1970, 40 bits of it: for 136 years.
    public var time: UInt64
    /// 40 bits.
    public var random: UInt64

    public static let length = 10

    public init(time: UInt64, random: UInt64) {
        self.time = time & 0xff_ffff_ffff
        self.random = random & 0xff_ffff_ffff
    }

    /// The epoch of a sender that begins now.
    public static func now() -> LinkEpoch {
        var clock = timespec()
        clock_gettime(CLOCK_REALTIME, &clock)
        let time = UInt64(clock.tv_sec) << 8 | UInt64(clock.tv_nsec) * 256 / 1_000_000_000
        return LinkEpoch(time: time, random: UInt64.random(in: 0...UInt64.max))
    }

    /// As it lies in a packet.
    var bytes: [UInt8] {
        func five(_ value: UInt64) -> [UInt8] {
            (0..<5).map { UInt8(truncatingIfNeeded: value >> UInt64(32 - 8 * $0)) }
        }
        return five(time) + five(random)
    }

    /// From the upper 80 of the 96 bits of an MKI.
    init(identifier: UInt128) {
        let epoch = identifier >> 16
        self.init(
            time: UInt64(truncatingIfNeeded: epoch >> 40) & 0xff_ffff_ffff,
            random: UInt64(truncatingIfNeeded: epoch) & 0xff_ffff_ffff)
    }

    public static func < (one: LinkEpoch, other: LinkEpoch) -> Bool {
        (one.time, one.random) < (other.time, other.random)
    }
}
