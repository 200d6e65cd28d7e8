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

    private struct Entry {
        var watch: FlowWatch
        /// The last reading that had the flow.
        var reading: UInt64

        /// Takes a reading; one with fewer packets is of another flow of the name.
        mutating func take(
            _ flow: FlowStatistics, _ reading: UInt64, unix: UInt64, monotonic: UInt64
        ) -> StateEdge? {
            self.reading = reading
            guard watch.last.packets <= flow.packets else {
                watch = FlowWatch(flow, unix: unix)
                return nil
            }
            return watch.take(flow, unix: unix, monotonic: monotonic)
        }
    }

    private struct State {
        var watches: [Key: Entry] = [:]
        var reading: UInt64 = 0
        var monotonic: UInt64 = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// Takes a reading of all flows; the edges of those whose state changed. Flows that are gone are forgotten.
    func take(_ snapshot: StatisticsSnapshot) -> [StateEdge] {
        state.withLock { state in
            let (unix, monotonic) = (snapshot.unixNanoseconds, snapshot.monotonicNanoseconds)
            state.monotonic = monotonic
            state.reading += 1
            let reading = state.reading
            var edges: [StateEdge] = []
            // In place: a day's history of thousands of flows would be copied otherwise.
            for flow in snapshot.flows {
                let key = Key(route: flow.route, from: flow.from)
                guard let index = state.watches.index(forKey: key) else {
                    state.watches[key] = Entry(watch: FlowWatch(flow, unix: unix), reading: reading)
                    continue
                }
                let edge = state.watches.values[index].take(flow, reading, unix: unix, monotonic: monotonic)
                if let edge { edges.append(edge) }
            }
            if state.watches.count > snapshot.flows.count {
                state.watches = state.watches.filter { $0.value.reading == reading }
            }
            return edges
        }
    }

    /// The states of all flows, by route.
    public func reports() -> [FlowReport] {
        state.withLock { state in state.watches.values.map { $0.watch.report(monotonic: state.monotonic) } }
            .sorted { ($0.route, $0.from) < ($1.route, $1.from) }
    }
}
