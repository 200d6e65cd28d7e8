// Listeners for connections of peers by TCP and TLS.

import AgentSupport
import NIOCore
import NIOPosix
import NIOSSL
import RTPWire
import SIPCore

/// A listening socket, or two of one number where it takes connections to all addresses of a host without dual-stack sockets.
@AgentActor
final class StreamListener {
    let transport: SIPTransport
    /// The address that it is bound to; nil for all.
    let address: IPAddress?
    /// The TCP port that it has: for one that was asked for as 0.
    private(set) var transportPort: UInt16
    private var channel: (any Channel)?

    var isWildcard: Bool { address == nil }

    private static let backlog: Int32 = 1024
    private static let writeBuffer = ChannelOptions.Types.WriteBufferWaterMark(low: 1 << 19, high: 1 << 20)

    init(
        _ listener: SIPConfiguration.Listener, tls context: NIOSSLContext?, transports: SIPTransports
    ) async throws(SIPTransportError) {
        transport = listener.transport
        address = listener.address
        transportPort = listener.transportPort
        if listener.transport == .tls, context == nil {
            throw SIPTransportError(
                "sip listener tls \(listener.transportPort): TLS needs a certificate; give sip: certificate:")
        }
        let tls = listener.transport == .tls ? context : nil
        let accept: @AgentActor (any Channel) -> StreamConnection? = { [weak self, weak transports] channel in
            guard let self, let transports else { return nil }
            return transports.accept(channel, by: self)
        }
        let logger = transports.logger
        let bootstrap = ServerBootstrap(group: AgentActor.group)
            .serverChannelInitializer { channel in
                AcceptPause.add(
                    to: channel, name: "sip listener \(listener.transport) \(listener.transportPort)", logger: logger)
            }
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: Self.writeBuffer)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(StreamHandler(accept: accept))
                }
            }
        // `::` takes IPv4 too; a host without IPv6 has only 0.0.0.0.
        let addresses = listener.address.map { [$0] } ?? [.unspecified, IPAddress(0, 0, 0, 0)]
        var refusal = ""
        for address in addresses {
            do {
                let channel = try await bootstrap.bind(to: address.socketAddress(listener.transportPort)).get()
                self.channel = channel
                transportPort = UInt16(truncatingIfNeeded: channel.localAddress?.port ?? 0)
                return
            } catch { refusal = "\(address.bracketed):\(listener.transportPort): \(ErrorText.of(error))" }
        }
        throw SIPTransportError("sip listener \(transport) \(refusal); is another server running there?")
    }

    /// Takes no more connections; those that are there continue.
    func close() async { try? await channel?.close() }
}
