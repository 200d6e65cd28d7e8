// One HTTP listener of the daemon, and a clear word when it cannot listen.

import AgentSupport
import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// Serves the control API, or the part of it that changes nothing, on one address.
struct ListenerService: Service {
    /// The name of the listener in errors: `control.socket`, `metrics.listen`.
    let name: String
    let address: BindAddress
    let responder: RouterResponder<ControlContext>
    let logger: Logger
    /// The connections at a time; others wait.
    var maximumConnections = ListenerService.mostConnections
    /// Called once it listens; what it throws ends the listener.
    let onListening: @Sendable (any Channel) async throws -> Void

    /// The connections that a listener serves at a time.
    static let mostConnections = 256
    /// The time after which a connection without a request under way is closed.
    static let idleTimeout = TimeAmount.seconds(60)

    func run() async throws {
        let failure = Failure()
        let application = Application(
            responder: responder,
            server: .http1(
                configuration: .init(additionalChannelHandlers: [], idleTimeout: Self.idleTimeout)),
            configuration: ApplicationConfiguration(
                address: address, serverName: "crosspoint",
                availableConnectionsDelegate: MaximumAvailableConnections(maximumConnections, logger: logger)),
            onServerRunning: { [name, logger] channel in
                do {
                    try await AcceptPause.add(to: channel, name: name, logger: logger).get()
                    try await onListening(channel)
                } catch {
                    await failure.set(error)
                    channel.close(promise: nil)
                }
            }, logger: logger)
        do { try await application.run() } catch let error as IOError {
            let what = "\(name): cannot listen: \(String(cString: strerror(error.errnoCode)))"
            switch error.errnoCode {
            case EADDRINUSE: throw NodeError(.failed, "\(what); another program listens there, choose another address")
            case EACCES, EPERM: throw NodeError(.notPermitted, "\(what); run it as root or as the daemon's user")
            default: throw NodeError(.failed, what)
            }
        }
        try await failure.rethrow()
    }

    /// The failure that occurred after the listener had begun to listen.
    private actor Failure {
        private var error: (any Error)?

        func set(_ error: any Error) { self.error = error }

        func rethrow() throws {
            if let error { throw error }
        }
    }
}
