// SIGHUP: read the configuration again.

import Events
import Logging
import Routing
import ServiceLifecycle
import UnixSignals

/// Reloads the configuration on every SIGHUP.
struct ReloadService: Service {
    let keeper: ConfigurationKeeper
    let notifier: SystemdNotifier?
    let logger: Logger

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown()
        for await _ in signals {
            notifier?.reloading()
            await EventAuthor.$current.withValue("SIGHUP") {
                do { _ = try await keeper.reload() } catch {
                    logger.error("reload: \(error); the node continues with the configuration that it has")
                }
            }
            notifier?.ready()
            notifier?.status(await keeper.status)
        }
    }
}
