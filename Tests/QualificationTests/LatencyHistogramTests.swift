// Percentiles out of logarithmic buckets.

import CrosspointShim
import Testing

@testable import Qualification

@Suite struct LatencyHistogramTests {
    @Test func bucketsFollowEachOtherWithoutGaps() {
        #expect((0..<64).allSatisfy { LatencyHistogram.lowerBound(ofBucket: $0) == UInt64($0) })
        #expect(LatencyHistogram.lowerBound(ofBucket: 64) == 64 && LatencyHistogram.lowerBound(ofBucket: 65) == 66)
        #expect(LatencyHistogram.lowerBound(ofBucket: 96) == 128 && LatencyHistogram.lowerBound(ofBucket: 97) == 132)
        for bucket in 64..<Int(BENCH_BUCKETS) - 1 {
            let (lower, upper) = (
                LatencyHistogram.lowerBound(ofBucket: bucket), LatencyHistogram.lowerBound(ofBucket: bucket + 1)
            )
            #expect(upper > lower && Double(upper - lower) <= Double(lower) / 31.9)
        }
    }

    @Test func percentilesAreWithinThreePercent() {
        var histogram = LatencyHistogram()
        // 1000 times from 1000 ns to 1999 ns, and one of 1 ms.
        for time in UInt64(1000)..<2000 {
            let bucket = (0..<Int(BENCH_BUCKETS)).last { LatencyHistogram.lowerBound(ofBucket: $0) <= time } ?? 0
            histogram.add(1, inBucket: bucket)
        }
        let last = (0..<Int(BENCH_BUCKETS)).last { LatencyHistogram.lowerBound(ofBucket: $0) <= 1_000_000 } ?? 0
        histogram.add(1, inBucket: last)
        histogram.add(largest: 1_000_000, sum: 1_499_500 + 1_000_000)
        #expect(histogram.count == 1001)
        #expect(abs(Double(histogram.percentile(0.5)) - 1500) < 48)
        #expect(abs(Double(histogram.percentile(0.99)) - 1990) < 64)
        #expect(histogram.percentile(1) <= 1_000_000 && histogram.percentile(1) > 960_000)
        #expect(histogram.mean > 2490 && histogram.mean < 2500)
        #expect(histogram.counts(between: [992, 2016, 100_000]) == [0, 1000, 0, 1])
    }

    @Test func noTimesAreNoPercentiles() {
        #expect(LatencyHistogram().percentile(0.99) == 0 && LatencyHistogram().mean == 0)
    }
}
