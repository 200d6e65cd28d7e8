// Listeners for connections of players, publishers and other nodes.

import AgentSupport
import NIOCore
import NIOPosix
import NIOSSL
import RTPWire

/// A listening socket of the proxy.
@AgentActor
final class RTSPListener {
    private let channel: any Channel

    /// The TCP port that it has: for one that was asked for as 0.
    var tcpPort: UInt16 { UInt16(truncatingIfNeeded: channel.localAddress?.port ?? 0) }

    private static let backlog: Int32 = 1024

    /// Listens as `listener` says.
    ///
    /// - Parameters:
    ///   - context: For TLS, made by `Certificate.listenerContext`.
    init(
        _ listener: RTSPConfiguration.Listener, server: RTSPServer, tls context: NIOSSLContext? = nil
    ) async throws(ListenerError) {
        if listener.usesTLS, context == nil {
            throw ListenerError(
                "rtsp listener \(listener.tcpPort): TLS needs a certificate; give rtsp: certificate:")
        }
        let tls = listener.usesTLS ? context : nil
        let logger = server.context.logger
        let bootstrap = ServerBootstrap(group: AgentActor.group)
            .serverChannelInitializer { channel in
                AcceptPause.add(to: channel, name: "rtsp listener \(listener.tcpPort)", logger: logger)
            }
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: ClientConnection.answerBuffer)
            // One read in each turn of the loop: others are read in between.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(
                        ServerConnectionHandler(server: server, isSecure: tls != nil))
                }
            }
        // `::` takes IPv4 too; a host without IPv6 has only 0.0.0.0.
        let addresses = listener.address.map { [$0] } ?? [.unspecified, IPAddress(0, 0, 0, 0)]
        var refusal = ""
        for address in addresses {
            do {
                channel = try await bootstrap.bind(to: address.socketAddress(listener.tcpPort)).get()
                return
            } catch { refusal = "\(address.bracketed):\(listener.tcpPort): \(ErrorText.of(error))" }
        }
        throw ListenerError("rtsp listener \(refusal); is another server running there?")
    }

    /// Takes no more connections; those that are there continue.
    func close() async { try? await channel.close() }
}
