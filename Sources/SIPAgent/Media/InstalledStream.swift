// The routes of one stream of a call, as they are in the fast path.

import Routing

/// One route, by the name under which the fast path's owner has it.
struct InstalledRoute: Hashable, Sendable, Codable {
    var name: String
    var source: SourceSpecification
    /// The legs, by number.
    var legs: [UInt32: LegSpecification]
    /// True if it is one that a source may be learned on, beside the one that was agreed on.
    var isAlternative = false
}

/// The route that carries the packets of one stream.
struct InstalledStream: Hashable, Sendable, Codable {
    /// The route of the source that was agreed on last.
    var current: InstalledRoute
    /// Routes of other sources, until media come from the current one: of a peer that has moved (RFC 3264 section 8.3.1), or that
    /// is yet to be learned.
    var others: [InstalledRoute] = []
    /// Counts the routes of the stream, for their names.
    var generation = 1

    var routes: [InstalledRoute] { [current] + others }
}

/// The totals of a stream that routes have carried.
struct StreamTotals: Hashable, Sendable, Codable {
    var packets: UInt64 = 0
    var bytes: UInt64 = 0
    var expected: UInt64 = 0
    var received: UInt64 = 0
    /// Of the latest route that had any, in nanoseconds.
    var jitter: UInt64 = 0
    var lastArrival: UInt64 = 0

    mutating func add(_ progress: FlowProgress) {
        packets += progress.packets
        bytes += progress.bytes
        expected += progress.expected
        received += progress.received
        if progress.lastArrival > lastArrival {
            lastArrival = progress.lastArrival
            jitter = progress.jitter
        }
    }
}
