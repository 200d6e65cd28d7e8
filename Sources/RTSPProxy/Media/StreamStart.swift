// The packet that a player begins with.

import Routing
import Timing

/// The first packet that a player gets: `seq` and `rtptime` of RTP-Info (RFC 2326 section 12.33).
struct StreamStart: Hashable, Sendable, LegStart {
    /// The sequence number of the first packet that the player gets; nil where that is not the node's to say.
    var sequence: UInt16?
    /// The RTP timestamp that corresponds to the beginning of the response's Range.
    var timestamp: UInt32
    /// The sequence number with its wraps, low 32 bits.
    var extendedSequence: UInt32
    /// When the packet was chosen (CLOCK_MONOTONIC, nanoseconds).
    var chosenAt: UInt64
    /// When it may come at the earliest, on the same clock; nil where it waits for the response, or nobody knows.
    var expectedAt: UInt64?

    /// A source that was silent for so long is silent.
    private static let silence: UInt64 = 2_000_000_000
    /// Above this rate, and below the other one, packets come in bursts of a frame, in which the mean distance says little.
    private static let burstRates: ClosedRange<UInt64> = 501...20_000
    private static let videoClock: UInt32 = 90_000
    /// The rest of a burst where nothing is known of it.
    private static let burst: UInt64 = 16
    /// A burst is one frame's at 25 frames a second, and of a large frame twice the mean one.
    private static let burstsPerSecond: UInt64 = 25 / 2
    /// The time by which a packet may be early, against one that was late, is this multiple of the jitter, and no more than this.
    private static let jitterFactor: UInt64 = 2
    private static let longestJitter: UInt64 = 20_000_000
    /// After so many packets RFC 3550's jitter, which begins at 0 and takes a sixteenth of each new difference, is what it will be.
    private static let settledPackets: UInt64 = 64

    /// The first packet of a player that begins at `now` (CLOCK_MONOTONIC, nanoseconds), from how far the flow has come;
    /// nil when that cannot be known. `margin` is the time that the response to PLAY may take to be on its way, in
    /// nanoseconds: the packet must not be before it.
    ///
    /// It is the first one that is expected after the margin: the next one where they are rare, so that nobody waits for
    /// longer than the distance of two packets.
    init?(_ progress: FlowProgress?, at now: UInt64, margin: UInt64) {
        guard let progress, Self.isFlowing(progress, at: now) else { return nil }
        // A source that has sent more than one packet and has no rate yet has just begun with a burst: nobody knows how far it will have
        // come when the response is on its way.
        let rate = Self.settledRate(progress)
        guard rate > 0 || progress.received <= 1 else { return nil }
        let elapsed = now.subtractingSaturating(progress.lastArrival)
        let earliness = min(Self.settledJitter(progress) * Self.jitterFactor, Self.longestJitter)
        let distance = elapsed.addingSaturating(margin).addingSaturating(earliness)
        // One packet says nothing of when the next will come.
        var ahead = rate == 0 ? 2 : 1 + distance.multipliedSaturating(by: rate) / 1_000_000_000
        if rate > Self.burstRates.upperBound {
            ahead += Self.burst
        } else if Self.burstRates.contains(rate) || rate > 0 && progress.clockRate == Self.videoClock {
            // So soon after a packet, more of its frame may be on their way.
            ahead += elapsed.multipliedSaturating(by: rate) < 250_000_000 ? rate / Self.burstsPerSecond : 0
        }
        self.init(progress, ahead: ahead, at: now)
        if rate > 0 {
            let time = ahead.multipliedSaturating(by: 1_000_000_000) / rate
            expectedAt = max(
                progress.lastArrival.addingSaturating(time).subtractingSaturating(earliness),
                now.addingSaturating(margin))
        }
    }

    /// Packets a second, and not less: many a camera waits after its first packet, and the mean of the first few is too low.
    private static func settledRate(_ progress: FlowProgress) -> UInt64 {
        switch progress.packets {
        case ..<4: progress.packetRate * 4
        case ..<8: progress.packetRate * 2
        default: progress.packetRate
        }
    }

    /// The jitter that the first packets of a flow let expect, in nanoseconds.
    private static func settledJitter(_ progress: FlowProgress) -> UInt64 {
        guard progress.packets < settledPackets else { return progress.jitter }
        // The part of the beginning that is left, in 1/65536: (15/16)^packets.
        let rest = (0..<progress.packets).reduce(UInt64(65_536)) { rest, _ in rest * 15 / 16 }
        return progress.jitter * 65_536 / max(65_536 - rest, 4096)
    }

    /// The very next packet, for a player whose packets wait for the response.
    init?(next progress: FlowProgress?, at now: UInt64) {
        guard let progress, Self.isFlowing(progress, at: now) else { return nil }
        self.init(progress, ahead: 1, at: now)
    }

    private static func isFlowing(_ progress: FlowProgress, at now: UInt64) -> Bool {
        progress.hasRTP && now.subtractingSaturating(progress.lastArrival) < silence
    }

    private init(_ progress: FlowProgress, ahead: UInt64, at now: UInt64) {
        let extended = progress.extendedHighestSequence &+ ahead
        sequence = UInt16(truncatingIfNeeded: extended)
        extendedSequence = UInt32(truncatingIfNeeded: extended)
        timestamp = progress.timestamp
        chosenAt = now
    }

    /// True if the packet may come before a response that is written at `now`.
    func mayPrecede(_ now: UInt64) -> Bool { expectedAt.map { $0 < now.addingSaturating(Self.writing) } ?? false }

    /// The time that the response takes to be on its way, in nanoseconds.
    static let writing: UInt64 = 2_000_000
}
