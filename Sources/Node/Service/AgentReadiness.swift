// Delay of the report that the node is ready until its agents listen.

import ServiceLifecycle
import Sessions

/// Counts one agent among the listeners.
struct AgentReadiness: Service {
    let agent: any SessionControl
    let readiness: Readiness

    func run() async throws {
        await agent.whenListening()
        if !Task.isCancelled { await readiness.listens(tcpPort: nil) }
        // A service that returns would end the others.
        try? await gracefulShutdown()
    }
}
