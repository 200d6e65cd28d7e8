// The end of the events: streams that are followed end before the listeners do.

import Events
import ServiceLifecycle

/// Reports that the node stops, and ends what follows its events.
struct EventService: Service {
    let events: EventLog

    func run() async throws {
        try? await gracefulShutdown()
        events.record(.notice, .nodeStopping, "", "the daemon stops; routes continue in the fast path")
        events.finish()
    }
}
