// Time to wait between reports.

/// The values that the time between the reports of a participant depends on (RFC 3550 section 6.3.1).
public struct RTCPInterval: Hashable, Sendable {
    /// Participants, this one included, and how many of them send.
    public var members: Int
    public var senders: Int
    /// The rate that RTCP of the whole session may use, in bytes per second: 5 % of the session's bandwidth.
    public var bandwidth: Double
    /// True if this participant sends.
    public var isSender: Bool
    /// The average size of a compound packet with UDP and IP headers, in bytes.
    public var averageSize: Double
    /// True if this participant has not reported yet.
    public var isInitial: Bool

    public init(
        members: Int, senders: Int, bandwidth: Double, isSender: Bool, averageSize: Double, isInitial: Bool
    ) {
        self.members = members
        self.senders = senders
        self.bandwidth = bandwidth
        self.isSender = isSender
        self.averageSize = averageSize
        self.isInitial = isInitial
    }

    /// The share of senders that has a quarter of the bandwidth for itself.
    private static let senderShare = 0.25
    /// The factor by which reconsideration changes the interval on average, e - 3/2.
    private static let compensation = 2.718_28 - 1.5

    /// The interval before it is varied, in nanoseconds.
    public var deterministic: UInt64 {
        var count = Double(members)
        var share = 1.0
        if Double(senders) <= Double(members) * Self.senderShare {
            share = isSender ? Self.senderShare : 1 - Self.senderShare
            count = Double(isSender ? senders : members - senders)
        }
        let minimum = isInitial ? 2.5 : 5
        let seconds = bandwidth > 0 ? averageSize * count / (bandwidth * share) : minimum
        // A day is as good as never, and keeps the arithmetic in range.
        return UInt64(min(max(minimum, seconds), 86_400) * 1_000_000_000)
    }

    /// The interval to wait, in nanoseconds: 0.5 to 1.5 of the deterministic one, compensated.
    public func next(using generator: inout some RandomNumberGenerator) -> UInt64 {
        UInt64(Double(deterministic) * Double.random(in: 0.5...1.5, using: &generator) / Self.compensation)
    }
}
