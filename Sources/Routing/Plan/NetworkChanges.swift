// Changes of the network, collected until somebody looks at them.

import Netlink
import RTPWire

/// The parts of a network that changed: a burst of events is one look at what they touch.
struct NetworkChanges {
    /// True where every leg has to be looked at.
    private(set) var isEverything = false
    /// Destinations whose routes changed.
    private(set) var prefixes: Set<RoutePrefix> = []
    /// Neighbours whose address or state changed.
    private(set) var neighbours: Set<NetworkView.NeighbourKey> = []
    /// True where interfaces or addresses came, for which sources may have waited.
    private(set) var hasNewPlaces = false

    /// More prefixes than these are as good as everything.
    private static let most = 4096

    var isEmpty: Bool { !isEverything && prefixes.isEmpty && neighbours.isEmpty && !hasNewPlaces }

    mutating func everything() { isEverything = true }
    mutating func newPlaces() { (isEverything, hasNewPlaces) = (true, true) }
    mutating func insert(_ neighbour: NetworkView.NeighbourKey) { neighbours.insert(neighbour) }

    mutating func insert(_ prefix: RoutePrefix?) {
        guard let prefix, prefix.length > 0, prefixes.count < Self.most else { return everything() }
        prefixes.insert(prefix)
    }

    /// True where a leg's way may be another one now.
    func concerns(_ leg: LegState) -> Bool {
        if isEverything { return true }
        if let neighbour = leg.neighbour, neighbours.contains(neighbour) { return true }
        // A group leaves by the interface that the leg names, whatever the routes.
        if prefixes.isEmpty || leg.specification.address.isMulticast { return false }
        return prefixes.contains { $0.contains(leg.specification.address) }
    }
}
