// The time of day, as statistics and reports carry it.

import Glibc

/// The system's clocks.
public enum SystemClock {
    /// Nanoseconds since the Unix epoch.
    public static var unixNanoseconds: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Nanoseconds on the clock that never steps (CLOCK_MONOTONIC), which the fast path stamps packets with.
    public static var monotonicNanoseconds: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
