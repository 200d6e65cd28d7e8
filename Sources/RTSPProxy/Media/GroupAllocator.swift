// Which multicast groups are free.

import AgentSupport
import RTPWire

/// Hands out the groups of the configured pool, one for a stream.
@AgentActor
final class GroupAllocator {
    let pool: MulticastPool?
    private var taken: [String: IPAddress] = [:]

    init(pool: MulticastPool?) { self.pool = pool }

    /// The group of the stream `name` (its RTP route's name), which keeps it until `giveBack`; nil when there is none left.
    func group(for name: String) -> IPAddress? {
        if let group = taken[name] { return group }
        guard let pool else { return nil }
        let used = Set(taken.values)
        var candidate = pool.first
        for _ in 0..<pool.count {
            if !used.contains(candidate) {
                taken[name] = candidate
                return candidate
            }
            guard let next = candidate.successor else { return nil }
            candidate = next
        }
        return nil
    }

    func giveBack(_ name: String) { taken[name] = nil }
}

extension IPAddress {
    /// The address after this one in its family; nil after the last.
    var successor: IPAddress? {
        var bytes = self.bytes
        for index in bytes.indices.reversed() {
            bytes[index] &+= 1
            if bytes[index] != 0 { return IPAddress(bytes: bytes) }
        }
        return nil
    }
}
