// The clock that the fast path stamps packets with.

import Timing

/// CLOCK_MONOTONIC in nanoseconds.
public enum MonotonicClock {
    /// The present.
    public static var now: UInt64 { SystemClock.monotonicNanoseconds }
}
