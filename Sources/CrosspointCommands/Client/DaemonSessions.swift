// The sessions, which only a daemon knows, for readings that do without one.

import Node
import Sessions

/// Asks the daemon for its sessions, if it is there and answers at once.
struct DaemonSessions: Sendable {
    /// Nil where the reading is of a fast path of which it is not known whose it is.
    let client: ControlClient?

    /// The sessions; nil if no daemon told them.
    func read() async -> SessionStatistics? {
        guard let client else { return nil }
        return await withTaskGroup(of: SessionStatistics?.self) { tasks in
            tasks.addTask { try? await client.send(.get, "/v1/statistics/sessions") }
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
