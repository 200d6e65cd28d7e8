// Report of a receiver about one source.

import Timing

/// A report block (RFC 3550 section 6.4.1).
public struct ReceptionReport: Hashable, Sendable {
    /// The source that the report is about.
    public var ssrc: UInt32
    /// The share of packets lost since the last report, in 1/256.
    public var fractionLost: UInt8
    /// Packets lost since reception began, from -0x800000 to 0x7fffff; negative if duplicates came.
    public var cumulativeLost: Int32
    /// The highest sequence number, and above its 16 bits the times that it wrapped.
    public var extendedHighestSequence: UInt32
    /// The interarrival jitter in units of the RTP timestamp.
    public var jitter: UInt32
    /// The middle 32 bits of the NTP time of the last sender report; 0 if none came.
    public var lastSenderReport: UInt32
    /// The time since that report came, in 1/65536 s; 0 if none came.
    public var delaySinceLastSenderReport: UInt32

    public init(
        ssrc: UInt32, fractionLost: UInt8 = 0, cumulativeLost: Int32 = 0, extendedHighestSequence: UInt32 = 0,
        jitter: UInt32 = 0, lastSenderReport: UInt32 = 0, delaySinceLastSenderReport: UInt32 = 0
    ) {
        self.ssrc = ssrc
        self.fractionLost = fractionLost
        self.cumulativeLost = cumulativeLost
        self.extendedHighestSequence = extendedHighestSequence
        self.jitter = jitter
        self.lastSenderReport = lastSenderReport
        self.delaySinceLastSenderReport = delaySinceLastSenderReport
    }

    /// Counts of a source's packets, since reception began.
    public struct Counts: Hashable, Sendable {
        /// From the lowest to the highest sequence number.
        public var expected: UInt64
        /// All that came, duplicates included.
        public var received: UInt64

        public init(expected: UInt64, received: UInt64) {
            self.expected = expected
            self.received = received
        }
    }

    /// The last sender report of a source, as it came here.
    public struct LastSenderReport: Hashable, Sendable {
        /// The middle 32 bits of its NTP time.
        public var middle: UInt32
        /// When it came, in nanoseconds of the receiver's clock.
        public var arrival: UInt64

        public init(middle: UInt32, arrival: UInt64) {
            self.middle = middle
            self.arrival = arrival
        }
    }

    /// The report that follows from statistics (RFC 3550 section 6.4.1 and appendix A.3).
    ///
    /// - Parameters:
    ///   - counts: The counts now.
    ///   - previous: The counts when the last report was made; zeros before the first one.
    ///   - jitterNanoseconds: The jitter, which `clockRate` in hertz makes units of the timestamp.
    ///   - lastSenderReport: Nil if none came.
    ///   - now: The time of the report on the clock of `lastSenderReport.arrival`, in nanoseconds.
    public static func make(
        ssrc: UInt32, extendedHighestSequence: UInt64, counts: Counts, previous: Counts, jitterNanoseconds: UInt64,
        clockRate: UInt32, lastSenderReport: LastSenderReport?, now: UInt64
    ) -> ReceptionReport {
        let lost = Int64(bitPattern: counts.expected &- counts.received)
        let expectedNow = Int64(bitPattern: counts.expected &- previous.expected)
        let receivedNow = Int64(bitPattern: counts.received &- previous.received)
        let lostNow = expectedNow &- receivedNow
        // All lost would be 256/256, which eight bits cannot say.
        let fraction = expectedNow > 0 && lostNow > 0 ? min(Double(lostNow) * 256 / Double(expectedNow), 255) : 0
        let delay = lastSenderReport.map { now.subtractingSaturating($0.arrival) } ?? 0
        return ReceptionReport(
            ssrc: ssrc, fractionLost: UInt8(fraction),
            cumulativeLost: Int32(max(-0x80_0000, min(lost, 0x7f_ffff))),
            extendedHighestSequence: UInt32(truncatingIfNeeded: extendedHighestSequence),
            jitter: scaled(jitterNanoseconds, by: UInt64(clockRate)),
            lastSenderReport: lastSenderReport?.middle ?? 0, delaySinceLastSenderReport: scaled(delay, by: 65_536))
    }

    /// `nanoseconds` in units of 1/`rate` s, at most 2^32 - 1 of them.
    private static func scaled(_ nanoseconds: UInt64, by rate: UInt64) -> UInt32 {
        let product = nanoseconds.multipliedFullWidth(by: rate)
        guard product.high < 1_000_000_000 else { return .max }
        return UInt32(clamping: UInt64(1_000_000_000).dividingFullWidth(product).quotient)
    }

    /// The time that a packet needs to the receiver and back, in 1/65536 s: `middle` is the middle of the NTP time at which this report
    /// came (section 6.4.1). Nil if no sender report had come to the receiver; 0 if clocks make it negative.
    public func roundTripTime(arrivalMiddle middle: UInt32) -> UInt32? {
        guard lastSenderReport != 0 else { return nil }
        let time = Int32(bitPattern: middle &- lastSenderReport &- delaySinceLastSenderReport)
        return UInt32(max(time, 0))
    }

    // MARK: wire

    static let size = 24

    init?(_ reader: inout WireReader) {
        guard let ssrc = reader.word(), let lost = reader.word(), let sequence = reader.word(),
            let jitter = reader.word(), let last = reader.word(), let delay = reader.word()
        else { return nil }
        self.init(
            ssrc: ssrc, fractionLost: UInt8(lost >> 24), cumulativeLost: Int32(bitPattern: lost << 8) >> 8,
            extendedHighestSequence: sequence, jitter: jitter, lastSenderReport: last, delaySinceLastSenderReport: delay
        )
    }

    func write(to bytes: inout [UInt8]) {
        bytes.append(word: ssrc)
        bytes.append(word: UInt32(fractionLost) << 24 | UInt32(bitPattern: cumulativeLost) & 0xff_ffff)
        bytes.append(word: extendedHighestSequence)
        bytes.append(word: jitter)
        bytes.append(word: lastSenderReport)
        bytes.append(word: delaySinceLastSenderReport)
    }
}
