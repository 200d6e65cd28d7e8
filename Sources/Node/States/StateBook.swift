// The states of all flows of a node, kept by the daemon.

import Events
import FastPath
import Synchronization

/// The latest states, for the API and the metrics.
public final class StateBook: Sendable {
    private struct Key: Hashable {
        var route: String
        var from: String
    }

    private struct State {
        var watches: [Key: FlowWatch] = [:]
        var monotonic: UInt64 = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// Takes a reading of all flows; the edges of those whose state changed. Flows that are gone are forgotten.
    func take(_ snapshot: StatisticsSnapshot) -> [StateEdge] {
        state.withLock { state in
            state.monotonic = snapshot.monotonicNanoseconds
            var watches: [Key: FlowWatch] = [:]
            watches.reserveCapacity(snapshot.flows.count)
            var edges: [StateEdge] = []
            for flow in snapshot.flows {
                let key = Key(route: flow.route, from: flow.from)
                guard var watch = state.watches[key], watch.last.packets <= flow.packets else {
                    watches[key] = FlowWatch(flow, unix: snapshot.unixNanoseconds)
                    continue
                }
                if let edge = watch.take(
                    flow, unix: snapshot.unixNanoseconds, monotonic: snapshot.monotonicNanoseconds)
                {
                    edges.append(edge)
                }
                watches[key] = watch
            }
            state.watches = watches
            return edges
        }
    }

    /// The states of all flows, by route.
    public func reports() -> [FlowReport] {
        state.withLock { state in state.watches.values.map { $0.report(monotonic: state.monotonic) } }
            .sorted { ($0.route, $0.from) < ($1.route, $1.from) }
    }
}
