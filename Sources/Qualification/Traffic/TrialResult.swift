// Result of a trial.

/// The packets that were sent and that came, and the work of the processors meanwhile.
public struct TrialResult: Hashable, Sendable {
    /// Packets that were to be sent, and that were.
    public var planned: UInt64
    public var sent: UInt64
    /// Packets that arrived at the sinks: each leg has one.
    public var arrived: UInt64
    /// From the first packet to the last, seconds.
    public var seconds: Double
    /// The part of that time in which the generator's processor waited for a packet to be due.
    public var idle: Double
    /// By how much a packet left later than planned, at most, nanoseconds.
    public var largestDelay: UInt64
    /// The load of each processor, in parts of the time: user, system and softirq, by the kernel's own samples.
    public var processors: [ProcessorTimes]
    /// The latencies of packets, if they were stamped.
    public var latency: LatencyHistogram
    /// Interarrival jitter (RFC 3550 section 6.4.1), the mean of all flows that were stamped, nanoseconds.
    public var jitter: Double

    /// True if the generator kept its pace.
    public var keptPace: Bool { sent >= planned }

    /// Packets sent per second.
    public var packetRate: Double { seconds > 0 ? Double(sent) / seconds : 0 }

    /// Packets per second of which every leg got its copy, at most.
    public func carriedRate(legs: Int) -> Double {
        seconds > 0 ? Double(min(sent, arrived / UInt64(max(legs, 1)))) / seconds : 0
    }

    /// True if everything was sent in time, and every copy came.
    public func isWithoutLoss(legs: Int) -> Bool { keptPace && arrived == sent * UInt64(legs) }
}
