// Between a channel and its StreamConnection.

import AgentSupport
import NIOCore

/// Hands what NIO says to the connection, on the loop that is the actor's.
final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let accept: @AgentActor (any Channel) -> StreamConnection?
    private var connection: StreamConnection?

    /// - Parameter accept: the connection of a channel; nil where it is not wanted.
    init(accept: @escaping @AgentActor (any Channel) -> StreamConnection?) { self.accept = accept }

    func channelActive(context: ChannelHandlerContext) {
        let (accept, channel) = (accept, context.channel)
        connection = AgentActor.assumeIsolated { accept(channel) }
        if connection == nil { context.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let (connection, bytes) = (connection, unwrapInboundIn(data))
        AgentActor.assumeIsolated { connection?.receive(bytes) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let connection = connection
        AgentActor.assumeIsolated { connection?.closed() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let (connection, reason) = (connection, ErrorText.of(error))
        AgentActor.assumeIsolated { connection?.failed(reason) }
        context.close(promise: nil)
    }
}
