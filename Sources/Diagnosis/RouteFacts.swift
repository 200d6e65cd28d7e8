// The facts that a diagnosis of a route rests on.

public import FastPath
public import Node
public import Routing

/// The facts about one route, as `crosspoint why` gathers them: two readings of the counters, and what arrived between them.
public struct RouteFacts: Sendable {
    /// The daemon, or its absence.
    public enum Daemon: Hashable, Sendable {
        case answers
        /// No daemon answers; the time since its last sign of life in seconds, where that is known.
        case dead(secondsAgo: UInt64?)
    }

    /// What was asked for.
    public var name: String
    public var daemon: Daemon
    /// The names of all routes.
    public var routes: [String]
    /// The route; nil where no route has the name, or no daemon answers.
    public var route: RouteReport?
    /// The host's interfaces.
    public var interfaces: [PortReport]
    /// Readings of the counters, before and after the scan.
    public var before: StatisticsSnapshot?
    public var after: StatisticsSnapshot?
    /// The state that the daemon keeps of the flow.
    public var state: FlowReport?
    /// What arrived at the route's port; nil where nobody could look.
    public var scan: ScanReport?
    /// The reason for which nobody could look.
    public var scanProblem: String?
    /// What arrived at the other ports; looked at where the route's packets do not arrive.
    public var otherScans: [ScanReport]

    public init(
        name: String, daemon: Daemon = .answers, routes: [String] = [], route: RouteReport? = nil,
        interfaces: [PortReport] = [], before: StatisticsSnapshot? = nil, after: StatisticsSnapshot? = nil,
        state: FlowReport? = nil, scan: ScanReport? = nil, scanProblem: String? = nil, otherScans: [ScanReport] = []
    ) {
        self.name = name
        self.daemon = daemon
        self.routes = routes
        self.route = route
        self.interfaces = interfaces
        self.before = before
        self.after = after
        self.state = state
        self.scan = scan
        self.scanProblem = scanProblem
        self.otherScans = otherScans
    }

    /// True if packets of the route's flow were taken between the readings.
    public var isMoving: Bool { flow.map { $0.new.packets > $0.old.packets } ?? false }
}

extension RouteFacts {
    /// The route's flow in both readings.
    var flow: (old: FlowStatistics, new: FlowStatistics)? {
        let from = route?.specification.source.description
        func find(_ snapshot: StatisticsSnapshot?) -> FlowStatistics? {
            let all = snapshot?.flows.filter { $0.route == name } ?? []
            return all.first { $0.from == from } ?? all.first
        }
        guard let old = find(before), let new = find(after) else { return nil }
        return (old, new)
    }

    /// The seconds between the readings.
    var seconds: Double {
        guard let before, let after, after.monotonicNanoseconds > before.monotonicNanoseconds else { return 0 }
        return Double(after.monotonicNanoseconds - before.monotonicNanoseconds) / 1e9
    }

    func interface(_ name: String) -> PortReport? { interfaces.first { $0.name == name } }

    /// The packets or copies that were counted for `reason` at a port between the readings.
    func counted(_ reason: String, at port: String) -> UInt64 {
        func count(_ snapshot: StatisticsSnapshot?) -> UInt64 {
            guard let port = snapshot?.ports.first(where: { $0.name == port }) else { return 0 }
            return port.dropped[reason] ?? port.passed[reason] ?? port.undelivered[reason] ?? 0
        }
        let (old, new) = (count(before), count(after))
        return new > old ? new - old : 0
    }
}
