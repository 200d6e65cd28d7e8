// Statistics read from the pinned maps, with the daemon running or dead.

import FastPath
import Node

/// Reads the counters of the fast path that is pinned in a directory.
actor PinnedReader: StatisticsSource {
    private let statistics: PinnedStatistics

    /// Opens the pins in `directory`. Throws `FastPathError` if there are none, or if they may not be read.
    init(directory: String) throws(FastPathError) {
        statistics = try PinnedStatistics(pins: PinDirectory(path: directory))
    }

    /// Reads what this process has mapped already.
    init(_ statistics: PinnedStatistics) { self.statistics = statistics }

    func snapshot() throws(FastPathError) -> StatisticsSnapshot { try statistics.snapshot() }
}
