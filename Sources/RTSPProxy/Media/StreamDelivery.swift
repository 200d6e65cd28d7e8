// One player's share of one stream.

import AgentSupport
import Routing
import Sessions

/// How one stream gets to one player: as legs of the fast path, or through the daemon on a TCP connection.
///
/// PLAY is `prepare`, `start`, the response, `begin`; PAUSE and TEARDOWN are `end`, the response. After `end` it can be prepared anew.
@AgentActor
protocol StreamDelivery: AnyObject {
    /// Brings everything into place but sends nothing yet. What cannot be done here is refused before the response.
    func prepare() async throws(RoutingError)
    /// Decides which packet will be the first; nil while the source is silent. Called right before the response is written.
    func start() async -> StreamStart?
    /// Sends from the packet that `start` announced. Called when the response is on its way.
    func begin() async
    /// Stops sending; returns when no packet can follow any more. Harmless when nothing was prepared.
    func end() async
    /// What an operator is told about it.
    var report: SessionReport.Stream { get }
    /// What a restarted daemon must know of it; nil where it ends with the daemon.
    var record: SessionRecord.Delivery? { get }
}

/// The first packet that a player gets: `seq` and `rtptime` of RTP-Info (RFC 2326 section 12.33).
struct StreamStart: Hashable, Sendable {
    /// The sequence number of the first packet that the player gets.
    var sequence: UInt16
    /// The RTP timestamp that stands for the beginning of the response's Range.
    var timestamp: UInt32
    /// The sequence number with its wraps, low 32 bits.
    var extendedSequence: UInt32

    init(sequence: UInt16, timestamp: UInt32, extendedSequence: UInt32) {
        self.sequence = sequence
        self.timestamp = timestamp
        self.extendedSequence = extendedSequence
    }

    /// A source that was silent for so long is silent.
    private static let silence: UInt64 = 2_000_000_000
    /// Above this rate packets come in bursts of a frame, in which the mean distance says little.
    private static let burstRate: UInt64 = 500
    private static let burst: UInt64 = 16

    /// The first packet of a player that begins at `now` (CLOCK_MONOTONIC, nanoseconds), from how far the flow has come;
    /// nil when that cannot be told. `margin` is how long the opening of its leg may take from now on, in nanoseconds.
    ///
    /// It is the first one that is expected after the margin: the next one where they are rare, so that nobody waits for
    /// longer than the distance of two packets.
    init?(_ progress: FlowProgress?, at now: UInt64, margin: UInt64) {
        guard let progress, progress.hasRTP, now &- progress.lastArrival < Self.silence || progress.lastArrival > now
        else { return nil }
        let since = now > progress.lastArrival ? now - progress.lastArrival : 0
        // A source that has sent more than one packet and has no rate yet has just begun with a burst: nobody knows how far it will have
        // come when the leg opens.
        guard progress.packetRate > 0 || progress.received <= 1 else { return nil }
        // One packet says nothing of when the next will come.
        var ahead =
            progress.packetRate == 0 ? 2 : 1 + (since + margin) * progress.packetRate / 1_000_000_000
        if progress.packetRate > Self.burstRate { ahead += Self.burst }
        let extended = progress.extendedHighestSequence &+ ahead
        sequence = UInt16(truncatingIfNeeded: extended)
        extendedSequence = UInt32(truncatingIfNeeded: extended)
        timestamp = progress.timestamp
    }
}
