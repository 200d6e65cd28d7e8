// The sign of life that systemd's watchdog waits for: given only while the owner of the routes answers.

import Routing
import ServiceLifecycle

/// Asks the route control for its routes, and notifies the watchdog when it has answered.
struct WatchdogService: Service {
    let notifier: SystemdNotifier?
    let control: any RouteControl

    func run() async throws {
        guard let notifier, let interval = notifier.watchdogInterval else {
            try await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                _ = await control.routes()
                notifier.watchdog()
                do { try await Task.sleep(for: interval / 2) } catch { return }
            }
        }
    }
}
