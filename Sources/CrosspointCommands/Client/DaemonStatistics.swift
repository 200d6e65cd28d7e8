// Statistics as the daemon reads them.

import FastPath
import Node

/// Reads the counters through the control API.
struct DaemonStatistics: StatisticsSource {
    let client: ControlClient

    func snapshot() async throws -> StatisticsSnapshot { try await client.send(.get, "/v1/statistics") }
}
