// The time of day, as statistics and reports carry it.

import Glibc

/// The system's clock.
public enum SystemClock {
    /// Nanoseconds since the Unix epoch.
    public static var unixNanoseconds: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
