// Progress of a flow, as the fast path's records say.

/// The counters and the RTP state of one flow at one moment. Fields of RTP mean something if `hasRTP`.
public struct FlowRecords: Hashable, Sendable {
    /// Packets and bytes (Ethernet header to payload), of any kind.
    public var packets: UInt64
    public var bytes: UInt64
    public var rtcpPackets: UInt64
    public var hasRTP: Bool
    /// The highest sequence number, with its wraps (RFC 3550 appendix A.1).
    public var extendedHighestSequence: UInt64
    /// The RTP timestamp of the latest packet whose time was read.
    public var timestamp: UInt32
    public var ssrc: UInt32
    public var payloadType: UInt8
    /// When that packet came: CLOCK_MONOTONIC in nanoseconds.
    public var lastArrival: UInt64
    /// Hz, where it is known.
    public var clockRate: UInt32?
    /// Since the last start of the sequence (RFC 3550 appendix A.3).
    public var expected: UInt64
    public var received: UInt64
    /// Nanoseconds.
    public var jitter: UInt64
}
