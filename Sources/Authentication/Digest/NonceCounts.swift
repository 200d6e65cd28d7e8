// Counts of the uses of nonces, by which a replay is recognised.

/// A bounded table of nonces that were used with right credentials, and the highest count of each (RFC 7616 section 3.4.6).
struct NonceCounts: Sendable {
    private struct Use {
        var time: UInt64
        var highest: UInt32
    }

    private var uses: [Nonce: Use] = [:]
    private let maximum: Int
    /// Nonces up to this time, and not in the table, were dropped from it perhaps: their counts are not known any more.
    private var forgotten: UInt64?

    init(maximum: Int) {
        precondition(maximum > 0, "a table of no nonces remembers nothing")
        self.maximum = maximum
    }

    /// True if a use with this count is the first one. Nonces issued before `oldest` need not be kept.
    mutating func use(_ nonce: Nonce, count: UInt32, oldest: UInt64) -> Bool {
        if let highest = uses[nonce]?.highest {
            guard count > highest else { return false }
            uses[nonce]?.highest = count
            return true
        }
        if uses.count >= maximum { makeRoom(oldest: oldest) }
        if let forgotten, nonce.time <= forgotten { return false }
        uses[nonce] = Use(time: nonce.time, highest: count)
        return true
    }

    /// Drops what is too old anyway, and if that is less than a quarter, the oldest quarter.
    private mutating func makeRoom(oldest: UInt64) {
        uses = uses.filter { $0.value.time >= oldest }
        guard uses.count > maximum * 3 / 4 else { return }
        let times = uses.values.map(\.time).sorted()
        let limit = times[min(maximum / 4, times.count - 1)]
        uses = uses.filter { $0.value.time > limit }
        forgotten = max(forgotten ?? 0, limit)
    }
}
