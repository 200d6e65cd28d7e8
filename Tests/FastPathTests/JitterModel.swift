// Interarrival jitter as RFC 3550 appendix A.8 has it, in double precision.

/// An implementation of its own, to compare with.
struct JitterModel {
    let clockRate: Double
    /// In seconds.
    private(set) var jitter = 0.0
    private(set) var largest = 0.0
    private var last: (arrival: UInt64, timestamp: UInt32)?

    init(clockRate: UInt32) { self.clockRate = Double(clockRate) }

    mutating func receive(arrival: UInt64, timestamp: UInt32) {
        if let last {
            let elapsed = Double(Int64(bitPattern: arrival &- last.arrival)) / 1e9
            let ticks = Double(Int32(bitPattern: timestamp &- last.timestamp)) / clockRate
            jitter += (abs(elapsed - ticks) - jitter) / 16
            largest = max(largest, jitter)
        }
        last = (arrival, timestamp)
    }

    /// Forgets the last packet: the next interval does not count.
    mutating func interrupt() { last = nil }
}
