// RTSPS: the same server behind TLS.

import AgentSupport
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import RTPWire
import RTSPCore
import TestSupport
import Testing

@testable import RTSPProxy

private let openssl = "/usr/bin/openssl"

@Suite(
    "Connections over TLS", .enabled(if: access(openssl, X_OK) == 0, "needs openssl, to make a certificate"),
    .timeLimit(.minutes(1)))
@AgentActor struct SecureConnectionTests {
    /// A certificate of its own for the length of a test.
    private static func certificate(in directory: String) throws -> Certificate {
        let certificate = Certificate(
            chain: "\(directory)/certificate.pem", privateKey: "\(directory)/key.pem")
        _ = try Command.run([
            openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "1",
            "-subj", "/CN=node.studio", "-out", certificate.chain, "-keyout", certificate.privateKey,
        ])
        return certificate
    }

    /// Hands on what comes, as text.
    private final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let text: AsyncStream<String>.Continuation
        init(_ text: AsyncStream<String>.Continuation) { self.text = text }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text.yield(String(buffer: unwrapInboundIn(data)))
        }
        func channelInactive(context: ChannelHandlerContext) { text.finish() }
    }

    @Test("A-01: over TLS Basic is offered beside Digest, and taken")
    func basic() async throws {
        let node = try await TestNode(routes: [ConnectionTests.closed], users: ["anna": "secret"])
        let directory = try TemporaryDirectory()
        let tls = try Self.certificate(in: directory.path).listenerContext(of: "rtsp")
        let listener = try await RTSPListener(
            .init(address: IPAddress(127, 0, 0, 1), tcpPort: 0, usesTLS: true), server: node.server, tls: tls)
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let context = try NIOSSLContext(configuration: configuration)
        let (texts, continuation) = AsyncStream.makeStream(of: String.self)
        let channel = try await ClientBootstrap(group: AgentActor.group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: "node.studio"))
                    try channel.pipeline.syncOperations.addHandler(Collector(continuation))
                }
            }
            .connect(host: "127.0.0.1", port: Int(listener.tcpPort)).get()
        var answers = texts.makeAsyncIterator()
        var request = RTSPRequest(.describe, "rtsps://node.studio/cam", headers: ["CSeq": "1"])
        try await channel.writeAndFlush(ByteBuffer(bytes: request.encoded))
        let refusal = try #require(await answers.next())
        #expect(refusal.hasPrefix("RTSP/1.0 401 ") && refusal.contains("WWW-Authenticate: Basic realm=\"studio\""))
        request.headers["Authorization"] = "Basic YW5uYTpzZWNyZXQ="
        try await channel.writeAndFlush(ByteBuffer(bytes: request.encoded))
        let description = try #require(await answers.next())
        #expect(description.hasPrefix("RTSP/1.0 200 "))
        #expect(description.contains("Content-Base: rtsps://node.studio/cam/\r\n"))
        try await channel.close()
        await listener.close()
        await node.stop()
    }

    @Test("A TLS listener without a certificate, and a certificate that is none, are refused with the remedy")
    func refused() async throws {
        let node = try await TestNode()
        await #expect(throws: ListenerError.self) {
            try await RTSPListener(.init(tcpPort: 0, usesTLS: true), server: node.server)
        }
        #expect(throws: ListenerError.self) {
            try Certificate(chain: "/nonexistent.pem", privateKey: "/nonexistent.pem").listenerContext(of: "rtsp")
        }
        await node.stop()
    }
}
