// The activity of each source: a table of fixed size, whatever comes.

import AgentSupport
import RTPWire

/// Token buckets and strikes by source (`SourceKey`).
///
/// If there are more sources than places, those that were quiet longest are forgotten. Times are nanoseconds of a clock
/// that does not go back.
struct SourceTable {
    private struct Entry {
        var source: SourceKey
        /// Requests that may come at once, in thousandths, as of `filledAt`.
        var tokens: Int
        var filledAt: UInt64
        /// The strikes against the source, in thousandths, as of `struckAt`; one is forgiven each second.
        var strikes = 0
        var struckAt: UInt64

        var usedAt: UInt64 { max(filledAt, struckAt) }

        func strikes(now: UInt64) -> Int { max(0, strikes - SourceTable.milliseconds(since: struckAt, now)) }
    }

    /// Entries that share a hash, of which the one that was quiet longest makes room.
    private static let ways = 4
    private var entries: [Entry?]
    private let sets: Int
    private let seed: Int

    /// - Parameter capacity: How many sources are remembered; a power of two, 4 or more.
    init(capacity: Int = 16_384) {
        precondition(capacity >= Self.ways && capacity & (capacity - 1) == 0, "the capacity must be a power of two")
        entries = Array(repeating: nil, count: capacity)
        sets = capacity / Self.ways
        // Nobody outside can tell which sources share an entry.
        seed = Int.random(in: .min ... .max)
    }

    /// Takes a token of the source; false where it has none left.
    ///
    /// - Parameters:
    ///   - rate: Tokens that come in a second.
    ///   - burst: Tokens that there can be.
    mutating func take(_ source: IPAddress, rate: Int, burst: Int, now: UInt64) -> Bool {
        let index = index(of: source, tokens: burst * 1000, now: now)
        guard var entry = entries[index] else { return true }
        let refill = Self.milliseconds(since: entry.filledAt, now) * rate
        entry.tokens = min(burst * 1000, entry.tokens + refill)
        entry.filledAt = now
        let isAllowed = entry.tokens >= 1000
        if isAllowed { entry.tokens -= 1000 }
        entries[index] = entry
        return isAllowed
    }

    /// The current strikes against the source.
    func strikes(_ source: IPAddress, now: UInt64) -> Int {
        find(source).flatMap { entries[$0] }.map { $0.strikes(now: now) / 1000 } ?? 0
    }

    /// Adds to what speaks against the source, up to `maximum`.
    mutating func strike(_ source: IPAddress, _ number: Int, maximum: Int, burst: Int, now: UInt64) {
        let index = index(of: source, tokens: burst * 1000, now: now)
        guard var entry = entries[index] else { return }
        entry.strikes = min(maximum * 1000, entry.strikes(now: now) + number * 1000)
        entry.struckAt = now
        entries[index] = entry
    }

    /// Nothing speaks against the source any more.
    mutating func forgive(_ source: IPAddress) {
        if let index = find(source) { entries[index]?.strikes = 0 }
    }

    private static func milliseconds(since time: UInt64, _ now: UInt64) -> Int {
        // An hour fills every bucket.
        now > time ? Int(min((now - time) / 1_000_000, 3_600_000)) : 0
    }

    private func set(of key: SourceKey) -> Range<Int> {
        var hasher = Hasher()
        hasher.combine(seed)
        hasher.combine(key)
        let first = Int(UInt(bitPattern: hasher.finalize()) % UInt(sets)) * Self.ways
        return first..<first + Self.ways
    }

    private func find(_ source: IPAddress) -> Int? {
        let key = SourceKey(source)
        return set(of: key).first { entries[$0]?.source == key }
    }

    /// The place of the source, made where it has none.
    private mutating func index(of source: IPAddress, tokens: Int, now: UInt64) -> Int {
        if let index = find(source) { return index }
        let key = SourceKey(source)
        let set = set(of: key)
        let oldest =
            set.lowerBound
            + (0..<Self.ways).reduce(0) { best, way in
                (entries[set.lowerBound + way]?.usedAt ?? 0) < (entries[set.lowerBound + best]?.usedAt ?? 0)
                    ? way : best
            }
        entries[oldest] = Entry(source: key, tokens: tokens, filledAt: now, struckAt: now)
        return oldest
    }
}
