// Allocation of multicast groups that are free.

import AgentSupport
import RTPWire

/// Hands out the groups of the configured pool, one for a stream.
@AgentActor
final class GroupAllocator {
    let pool: MulticastPool?
    /// The numbers of the groups in use, by stream.
    private var taken: [String: Int] = [:]

    init(pool: MulticastPool?) { self.pool = pool }

    /// The group of the stream `name` (its RTP route's name) and its even UDP port, which it keeps until `giveBack`; nil when there is
    /// none left.
    func destination(of name: String) -> (group: IPAddress, udpPort: UInt16)? {
        guard let pool else { return nil }
        if let number = taken[name] { return pool.destination(number) }
        let used = Set(taken.values)
        guard let number = (0..<pool.count).first(where: { !used.contains($0) }) else { return nil }
        taken[name] = number
        return pool.destination(number)
    }

    /// Keeps for a stream the group that an earlier daemon gave it, if that is the pool's and nobody else's.
    func claim(_ group: IPAddress, for name: String) {
        guard let number = pool?.number(of: group), !taken.values.contains(number) else { return }
        taken[name] = number
    }

    func giveBack(_ name: String) { taken[name] = nil }
}
