// One HTTP listener of the daemon, and a clear word when it cannot listen.

import Glibc
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// Serves the control API, or the part of it that changes nothing, on one address.
struct ListenerService: Service {
    /// What the listener is called in errors: `control.socket`, `metrics.listen`.
    let name: String
    let address: BindAddress
    let responder: RouterResponder<BasicRequestContext>
    let logger: Logger
    /// Called once it listens.
    let onListening: @Sendable (any Channel) async -> Void

    func run() async throws {
        let application = Application(
            responder: responder, configuration: ApplicationConfiguration(address: address, serverName: "crosspoint"),
            onServerRunning: onListening, logger: logger)
        do { try await application.run() } catch let error as IOError {
            let what = "\(name): cannot listen: \(String(cString: strerror(error.errnoCode)))"
            switch error.errnoCode {
            case EADDRINUSE: throw NodeError(.failed, "\(what); another program listens there, choose another address")
            case EACCES, EPERM: throw NodeError(.notPermitted, "\(what); run it as root or as the daemon's user")
            default: throw NodeError(.failed, what)
            }
        }
    }
}
