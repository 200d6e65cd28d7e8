// The sessions, which only a daemon knows, for readings that do without one.

import Node
import Sessions

/// Asks the daemon for its sessions, if it is there and answers at once.
struct DaemonSessions: Sendable {
    /// Nil where the reading is of a fast path whose daemon is not known.
    let client: ControlClient?

    /// The time at which the daemon was last alive, nanoseconds since 1970; nil where that is not known.
    var heartbeat: UInt64? { client.flatMap { Heartbeat(besideSocket: $0.socket).last } }

    /// The sessions; nil if no daemon answers.
    func read() async -> SessionStatistics? { await read("/v1/statistics/sessions") }

    /// The states of the flows; nil if no daemon answers.
    func states() async -> [FlowReport]? { await read("/v1/states") }

    private func read<Answer: Decodable & Sendable>(_ path: String) async -> Answer? {
        guard let client else { return nil }
        return await withTaskGroup(of: Answer?.self) { tasks in
            tasks.addTask { try? await client.send(.get, path) }
            // The counters are there without a daemon: one that hangs must not hold them up.
            tasks.addTask {
                try? await Task.sleep(for: .seconds(1))
                return nil
            }
            defer { tasks.cancelAll() }
            return await tasks.next() ?? nil
        }
    }
}
