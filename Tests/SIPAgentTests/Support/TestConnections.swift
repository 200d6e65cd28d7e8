// TCP and TLS connections of a scripted user agent.

import AgentSupport
import NIOCore
import NIOPosix
import NIOSSL
import RTPWire
import SIPCore

/// Listens, connects where nobody has connected yet, and hands on the messages of all connections.
@AgentActor final class TestConnections {
    private let receive: @AgentActor (SIPMessage) -> Void
    private var listener: (any Channel)?
    private var latest: (any Channel)?
    /// How many peers have connected.
    private(set) var accepted = 0
    /// The line ends that came between messages.
    private(set) var pongs = 0

    private let serverTLS: NIOSSLContext?
    private let clientTLS: NIOSSLContext?

    /// - Parameter certificate: The peer's own, which also vouches for the node's; nil for TCP.
    init(_ certificate: TestCertificate?, receive: @escaping @AgentActor (SIPMessage) -> Void) throws {
        self.receive = receive
        serverTLS = try certificate?.serverContext()
        clientTLS = try certificate?.clientContext()
    }

    var tcpPort: UInt16 { UInt16(truncatingIfNeeded: listener?.localAddress?.port ?? 0) }

    func listen() async throws {
        let tls = serverTLS
        listener = try await ServerBootstrap(group: AgentActor.group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(self.handler(isAccepted: true))
                }
            }
            .bind(to: TestPeer.loopback.socketAddress(0)).get()
    }

    func connect(to tcpPort: UInt16) async throws {
        let tls = clientTLS
        latest = try await ClientBootstrap(group: AgentActor.group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try NIOSSLClientHandler(context: tls, serverHostname: nil)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    try channel.pipeline.syncOperations.addHandler(self.handler(isAccepted: false))
                }
            }
            .connect(to: TestPeer.loopback.socketAddress(tcpPort)).get()
    }

    /// On the connection on which something came last, or that was made.
    func send(_ bytes: [UInt8]) { latest?.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    func close() async {
        try? await latest?.close()
        try? await listener?.close()
    }

    private nonisolated func handler(isAccepted: Bool) -> TestConnectionHandler {
        TestConnectionHandler { channel, bytes in
            if bytes == nil { if isAccepted { self.accepted += 1 } }
            guard let bytes else { return }
            self.latest = channel
            self.received(bytes, on: channel)
        }
    }

    private var decoders: [ObjectIdentifier: SIPStreamDecoder] = [:]

    private func received(_ bytes: [UInt8], on channel: any Channel) {
        var decoder = decoders[ObjectIdentifier(channel), default: SIPStreamDecoder()]
        decoder.awaitsPong = true
        decoder.append(bytes)
        while let element = try? decoder.next() {
            switch element {
            case .message(let message): receive(message)
            case .ping, .pong: pongs += 1
            case .malformed: break
            }
        }
        decoders[ObjectIdentifier(channel)] = decoder
    }
}

private final class TestConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let receive: @AgentActor (any Channel, [UInt8]?) -> Void

    init(receive: @escaping @AgentActor (any Channel, [UInt8]?) -> Void) { self.receive = receive }

    func channelActive(context: ChannelHandlerContext) {
        let (receive, channel) = (receive, context.channel)
        AgentActor.assumeIsolated { receive(channel, nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let (receive, channel, bytes) = (receive, context.channel, [UInt8](unwrapInboundIn(data).readableBytesView))
        AgentActor.assumeIsolated { receive(channel, bytes) }
    }
}
