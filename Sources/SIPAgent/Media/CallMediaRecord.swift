// Record of a call's media for a restarted daemon.

import Routing

/// The media of a call in its journal: both sides' descriptions, the node's UDP ports, and the routes.
public struct CallMediaRecord: Hashable, Sendable, Codable {
    /// One side.
    struct Side: Hashable, Sendable, Codable {
        /// The description that this node has sent to the peer, and the peer's own.
        var local: String
        var remote: String
        /// The node's UDP ports, by medium.
        var places: [Int: LocalPlace]
    }

    /// The call's name, as its routes have it.
    public internal(set) var name: String
    var sides: [SIPSide: Side]
    var streams: [StreamKey: InstalledStream]
    var totals: [StreamKey: StreamTotals]
    var learned: [StreamKey: LearnedSource]
    /// The party that encrypts the media; nil in records of daemons that always left it to the ends.
    var protection: MediaProtection?

    /// The names of the keys that the call's routes have.
    public var keyNames: Set<String> {
        let routes = streams.values.flatMap(\.routes)
        return Set(routes.compactMap(\.source.srtp?.key) + routes.flatMap(\.legs.values).compactMap(\.srtp?.key))
    }

    /// The names of the call's routes: what is not to be removed at a start.
    public var routeNames: Set<String> { Set(streams.values.flatMap { $0.routes.map(\.name) }) }
}
