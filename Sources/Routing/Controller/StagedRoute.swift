// A route between plan and commit.

import FastPath

/// Everything that a planned route needs, taken, and nothing of it visible: it is published or abandoned as a whole.
struct StagedRoute {
    /// The way in which the route comes by its flow.
    enum Source: Equatable {
        /// The flow and its membership continue as they are; or the route has none, and continues without.
        case kept
        /// The flow continues, with a membership or a key of its own.
        case held
        /// The flow continues, and takes packets of other senders.
        case refiltered
        /// Another flow was installed, without legs.
        case installed
        /// The flow of a route that gives it up in the same batch.
        case inherited(from: String)
        /// The flow can be installed only when another one has left its destination.
        case late(FlowKey, Port)

        /// True where the route's packets are those of another flow than before.
        var isOtherFlow: Bool {
            switch self {
            case .installed, .inherited, .late: true
            case .kept, .held, .refiltered: false
            }
        }
    }

    let name: String
    let before: RouteState?
    /// The route as it will be; nil for one that goes.
    var after: RouteState?
    var source = Source.kept
    /// True where `after` has a membership, reservation or guard that `before` has not.
    var isHeld = false
    /// True where packets are decrypted with something else than before: the flow has no legs meanwhile.
    var changesContext = false
    /// Counters of legs that are new.
    var counters: [UInt32] = []
    /// Neighbours of legs that are new or changed.
    var retained: [NetworkView.NeighbourKey] = []
    /// Neighbours that legs have no more, once the route is published.
    var released: [NetworkView.NeighbourKey] = []
    /// Legs of `before` that are in `after` no more.
    var removed: [LegState] = []
    /// The numbers of legs that are new or changed.
    var written: Set<UInt32> = []
    /// The sets of legs; nil where those in use stay.
    var legs: PreparedLegs?

    init(name: String, before: RouteState?) {
        self.name = name
        self.before = before
    }
}

/// A step of a commit, at which a test may have the process end.
enum CommitStep: Hashable, Sendable, CaseIterable {
    case staged, journalled, published, released
}

/// The work that is left when a commit is live.
struct CommitAftermath {
    var reports: [String: RouteReport] = [:]
    /// Counters that are free after a grace period.
    var counters: [UInt32] = []
    /// True where anything was taken out of use.
    var needsGracePeriod = false
}
