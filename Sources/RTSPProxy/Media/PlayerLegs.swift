// Division of a stream's legs among players.

import AgentSupport
import RTPWire
import Routing

/// The legs of one stream that players by UDP may have, in fair shares: so many of one source, and a few kept for what serves many, the
/// host port with all players on TCP and the group of those on multicast.
@AgentActor
final class PlayerLegs {
    /// Legs that no single player gets.
    private static let kept = 8

    private let shares: SourceShares
    private var table: ShareTable

    /// - Parameter share: How many legs one source may have.
    init(shares: SourceShares, share: Int) {
        self.shares = shares
        table = ShareTable(limit: RouteSpecification.maximumLegs - Self.kept, share: share)
    }

    /// Takes a leg for a player; throws `.capacity` where its source, or everybody, has as many as may be.
    func take(for peer: IPAddress) throws(RoutingError) {
        switch table.take(for: SourceKey(peer), isExempt: shares.isTrusted(peer)) {
        case nil: return
        case .source:
            throw RoutingError(
                .capacity,
                "\(SourceKey(peer)) has \(table.share) copies of this stream by UDP (max-players-per-address)")
        case .total:
            throw RoutingError(
                .capacity, "\(table.total) players have this stream by UDP, as many as can; use TCP or multicast")
        }
    }

    /// Notes a leg that an earlier daemon added for a player.
    func adopt(for peer: IPAddress) { table.charge(to: SourceKey(peer)) }

    /// Gives a player's leg back.
    func giveBack(from peer: IPAddress) { table.giveBack(from: SourceKey(peer)) }
}
