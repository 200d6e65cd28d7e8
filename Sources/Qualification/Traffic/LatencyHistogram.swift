// Latencies of packets: counts in buckets that are 3 % wide.

import CrosspointShim

/// A distribution of times in nanoseconds.
public struct LatencyHistogram: Hashable, Sendable {
    /// Counts by bucket (`bpf/bench_abi.h`).
    public private(set) var counts = [UInt64](repeating: 0, count: Int(BENCH_BUCKETS))
    /// The largest time, exact.
    public private(set) var largest: UInt64 = 0
    /// The sum of all times.
    public private(set) var sum: UInt64 = 0

    public init() {}

    /// Adds so many times in a bucket, or a single time.
    public mutating func add(_ count: UInt64, inBucket bucket: Int) { counts[bucket] += count }

    /// Adds what one processor counted beside its buckets.
    mutating func add(largest: UInt64, sum: UInt64) {
        self.largest = max(self.largest, largest)
        self.sum += sum
    }

    /// The number of times.
    public var count: UInt64 { counts.reduce(0, +) }

    /// The mean, 0 if there is none.
    public var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }

    /// The shortest time of a bucket.
    public static func lowerBound(ofBucket bucket: Int) -> UInt64 {
        let linear = 2 << Int(BENCH_STEP_BITS)
        guard bucket >= linear else { return UInt64(bucket) }
        let shift = bucket >> Int(BENCH_STEP_BITS) - 1
        return UInt64(bucket - shift << Int(BENCH_STEP_BITS)) << UInt64(shift)
    }

    /// The time that the given part of all stays below or at, 0.99 for the 99th percentile: the middle of its bucket, and
    /// never more than the largest. 0 if there is none.
    public func percentile(_ part: Double) -> UInt64 {
        let wanted = UInt64((Double(count) * part).rounded(.up))
        var seen: UInt64 = 0
        for (bucket, count) in counts.enumerated() where count > 0 {
            seen += count
            guard seen >= max(wanted, 1) else { continue }
            let lower = Self.lowerBound(ofBucket: bucket)
            let upper = bucket + 1 < counts.count ? Self.lowerBound(ofBucket: bucket + 1) : lower
            return min(lower + (upper - lower) / 2, max(largest, lower))
        }
        return 0
    }

    /// The number of times in each part of the scale that `bounds` divide it into: below the first, between two, above the last.
    public func counts(between bounds: [UInt64]) -> [UInt64] {
        var result = [UInt64](repeating: 0, count: bounds.count + 1)
        for (bucket, count) in counts.enumerated() where count > 0 {
            let lower = Self.lowerBound(ofBucket: bucket)
            result[bounds.firstIndex { lower < $0 } ?? bounds.count] += count
        }
        return result
    }
}
