// Source of statistics: the fast path's pinned maps, or a daemon that reads them.

public import FastPath

/// Something that reads the fast path's counters.
public protocol StatisticsSource: Sendable {
    /// One reading of everything, taken now.
    func snapshot() async throws -> StatisticsSnapshot
}
