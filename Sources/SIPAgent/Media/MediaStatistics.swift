// Statistics of a call's media, when it has ended.

import Routing

/// One direction of one medium of a call.
public struct MediaStatistics: Hashable, Sendable, Codable {
    /// The place of the `m=` line, from 0, and its kind: `audio`, `video`.
    public var index: Int
    public var kind: String
    /// The side whose packets they are.
    public var from: SIPSide
    /// RTP packets and bytes, Ethernet header to payload.
    public var packets: UInt64
    public var bytes: UInt64
    /// Packets that were expected and did not come (RFC 3550 appendix A.3): negative where duplicates came.
    public var lostPackets: Int64
    /// Interarrival jitter in seconds (RFC 3550 appendix A.8).
    public var jitter: Double

    init(index: Int, kind: String, from: SIPSide, _ totals: StreamTotals) {
        self.index = index
        self.kind = kind
        self.from = from
        packets = totals.packets
        bytes = totals.bytes
        lostPackets = totals.lostPackets
        jitter = Double(totals.jitter) / 1_000_000_000
    }
}

extension StreamTotals {
    /// The packets that did not come; 0 until one came, and of media that are not RTP: nothing is expected then.
    var lostPackets: Int64 { received == 0 ? 0 : Int64(clamping: expected) - Int64(clamping: received) }
}
