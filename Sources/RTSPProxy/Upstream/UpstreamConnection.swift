// A connection to an upstream: bytes to messages and back.

import AgentSupport
import NIOCore
import NIOPosix
import NIOSSL
import RTPWire
import RTSPCore

/// One TCP or TLS connection to an upstream server.
@AgentActor
final class UpstreamConnection {
    /// The peer and the node's own end.
    let peer: IPAddress
    let local: IPAddress
    /// The other addresses to connect to, should this server fail.
    let untried: [UpstreamResolver.Candidate]
    private let channel: any Channel

    /// The receiver of the events of a connection, on the actor.
    struct Receiver: Sendable {
        /// A message; packets on interleaved channels too.
        var message: @AgentActor (RTSPMessage) -> Void
        /// All that was there to read was read.
        var batchEnded: @AgentActor () -> Void
        /// The connection is gone. Nothing comes after it.
        var closed: @AgentActor (_ reason: String) -> Void
    }

    /// Connects to the first of `candidates` that accepts within `timeout` each.
    ///
    /// - Parameters:
    ///   - tls: The context of TLS; nil for plain TCP.
    ///   - pin: The certificate to accept; nil for one that an authority vouches for.
    static func connect(
        to candidates: [UpstreamResolver.Candidate], tls: NIOSSLContext?, pin: CertificatePin? = nil,
        timeout: TimeAmount, receiver: Receiver
    ) async throws(MediaSourceError) -> UpstreamConnection {
        var failure = MediaSourceError(.serviceUnavailable, "no address to connect to")
        for (number, candidate) in candidates.enumerated() {
            do {
                let channel = try await ClientBootstrap(group: AgentActor.group)
                    .connectTimeout(timeout)
                    .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .channelOption(.maxMessagesPerRead, value: 4)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            if let tls {
                                try channel.pipeline.syncOperations.addHandler(
                                    Self.securityHandler(tls, pin, name: candidate.name))
                            }
                            try channel.pipeline.syncOperations.addHandler(
                                UpstreamHandler(receiver: receiver, pin: pin))
                        }
                    }
                    .connect(to: candidate.address).get()
                let untried = Array(candidates.dropFirst(number + 1))
                if let connection = UpstreamConnection(channel: channel, untried: untried) { return connection }
                channel.close(promise: nil)
            } catch let error as ChannelError {
                if case .connectTimeout = error {
                    failure = MediaSourceError(.gatewayTimeout, "\(candidate.place): no answer to the connection")
                } else {
                    failure = MediaSourceError(.serviceUnavailable, "\(candidate.place): \(ErrorText.of(error))")
                }
            } catch {
                failure = MediaSourceError(.serviceUnavailable, "\(candidate.place): \(ErrorText.of(error))")
            }
        }
        throw failure
    }

    /// An address is verified by the certificate's addresses, and is never sent as a server name (RFC 6066 section 3).
    private nonisolated static func securityHandler(
        _ tls: NIOSSLContext, _ pin: CertificatePin?, name: String
    ) throws -> NIOSSLClientHandler {
        let name = IPAddress(name) == nil && !name.contains("%") ? name : nil
        if let pin { return try pin.handler(tls, name: name) }
        return try NIOSSLClientHandler(context: tls, serverHostname: name)
    }

    private init?(channel: any Channel, untried: [UpstreamResolver.Candidate]) {
        guard let peer = channel.remoteAddress.flatMap({ IPAddress($0) }),
            let local = channel.localAddress.flatMap({ IPAddress($0) })
        else { return nil }
        self.channel = channel
        self.untried = untried
        self.peer = peer
        self.local = local
    }

    /// Sends a message; a peer that asks more than it takes answers for is left.
    func send(_ message: RTSPMessage) {
        guard channel.isWritable else { return close() }
        channel.writeAndFlush(ByteBuffer(bytes: message.encoded), promise: nil)
    }

    /// Sends a packet interleaved; not while the peer does not read what was sent before.
    func send(_ packet: ByteBuffer, onChannel number: UInt8) {
        guard channel.isWritable, let length = UInt16(exactly: packet.readableBytes) else { return }
        var frame = ByteBuffer(bytes: RTSPMessage.frameHeader(channel: number, length: length))
        frame.writeImmutableBuffer(packet)
        channel.writeAndFlush(frame, promise: nil)
    }

    func close() { channel.close(promise: nil) }
}

/// Reads messages, and says once that the connection is gone, and why.
private final class UpstreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let receiver: UpstreamConnection.Receiver
    private let pin: CertificatePin?
    private var decoder = RTSPDecoder(isLenient: true)
    /// The wait for the rest of a body that may never come: its length was given too long.
    private var bodyWait: Scheduled<Void>?
    private static let bodyPatience = TimeAmount.seconds(2)
    private var reason = "closed by the upstream"
    private var isClosed = false

    init(receiver: UpstreamConnection.Receiver, pin: CertificatePin?) {
        self.receiver = receiver
        self.pin = pin
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        decoder.append(unwrapInboundIn(data).readableBytesView)
        let receiver = receiver
        do {
            while !isClosed, let message = try decoder.next() {
                AgentActor.assumeIsolated { receiver.message(message) }
            }
        } catch {
            fail("what it sends cannot be read: \(error)", context)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        let receiver = receiver
        AgentActor.assumeIsolated { receiver.batchEnded() }
        bodyWait?.cancel()
        bodyWait = nil
        guard !isClosed, decoder.isWaitingForBody else { return }
        bodyWait = context.eventLoop.assumeIsolated().scheduleTask(in: Self.bodyPatience) { self.finishBody() }
    }

    private func finishBody() {
        bodyWait?.cancel()
        bodyWait = nil
        guard !isClosed, let message = decoder.finishBody() else { return }
        let receiver = receiver
        AgentActor.assumeIsolated { receiver.message(message) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(pin?.refusal ?? ErrorText.of(error), context)
    }

    private func fail(_ reason: String, _ context: ChannelHandlerContext) {
        self.reason = reason
        isClosed = true
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finishBody()
        isClosed = true
        let (receiver, reason) = (receiver, reason)
        AgentActor.assumeIsolated { receiver.closed(reason) }
    }
}
