// Between a channel and its ClientConnection.

import AgentSupport
import NIOCore

/// Hands what NIO says to the connection, on the loop that is the actor's.
final class ServerConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let server: RTSPServer
    private let isSecure: Bool
    private var connection: ClientConnection?

    init(server: RTSPServer, isSecure: Bool) {
        self.server = server
        self.isSecure = isSecure
    }

    func channelActive(context: ChannelHandlerContext) {
        let (server, channel, isSecure) = (server, context.channel, isSecure)
        connection = AgentActor.assumeIsolated { server.accept(channel, isSecure: isSecure) }
        if connection == nil { context.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let (connection, bytes) = (connection, unwrapInboundIn(data))
        AgentActor.assumeIsolated { connection?.receive(bytes) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let connection = connection
        AgentActor.assumeIsolated { connection?.writabilityChanged() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let connection = connection
        AgentActor.assumeIsolated { connection?.closed() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let (server, connection) = (server, connection)
        AgentActor.assumeIsolated {
            if let connection { server.logRefusal(connection, "closed: \(ErrorText.of(error))") }
        }
        context.close(promise: nil)
    }
}
