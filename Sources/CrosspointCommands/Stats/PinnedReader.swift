// Statistics read from the pinned maps, with the daemon running or dead.

import FastPath
import Node

/// Reads the counters of the fast path that is pinned in a directory.
actor PinnedReader: StatisticsSource {
    private var statistics: PinnedStatistics
    /// The place of the pins; nil for state that this process writes itself.
    private let pins: PinDirectory?

    /// Opens the pins in `directory`. Throws `FastPathError` if there are none, or if they may not be read.
    init(directory: String) throws(FastPathError) {
        let pins = PinDirectory(path: directory)
        self.pins = pins
        statistics = try PinnedStatistics(pins: pins)
    }

    /// Reads what this process has mapped already.
    init(_ statistics: PinnedStatistics) {
        self.statistics = statistics
        pins = nil
    }

    func snapshot() throws(FastPathError) -> StatisticsSnapshot {
        // Another version of the daemon may have made tables of its own.
        if let pins, statistics.isOutdated { statistics = try PinnedStatistics(pins: pins) }
        return try statistics.snapshot()
    }
}
