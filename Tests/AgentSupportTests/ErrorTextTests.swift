// What people read of the errors of sockets and TLS.

import AgentSupport
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import RTPWire
import TestSupport
import Testing

private let openssl = "/usr/bin/openssl"

@Suite(
    "Texts of errors", .enabled(if: access(openssl, X_OK) == 0, "needs openssl, to make a certificate"),
    .timeLimit(.minutes(1)))
struct ErrorTextTests {
    /// True for one short phrase in words, without types, places in source, and numbers of libraries.
    private func isPlain(_ text: String) -> Bool {
        !["Error", ".build", ".cc", "swift", "checkouts", "errno", "OPENSSL", "handshakeFailed", "(", "\n", "_", "  "]
            .contains { text.contains($0) } && (5...120).contains(text.utf8.count)
    }

    private func failure(_ body: () async throws -> Void) async -> any Error {
        do {
            try await body()
            return CancellationError()
        } catch {
            return error
        }
    }

    @Test("Nobody listens: the system's own words")
    func refused() async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let address = try #require(listener.localAddress)
        let taken = await failure {
            _ = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(to: address).get()
        }
        #expect(ErrorText.of(taken) == String(cString: strerror(EADDRINUSE)))
        try await listener.close()
        let gone = await failure {
            _ = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(to: address).get()
        }
        #expect(ErrorText.of(gone) == String(cString: strerror(ECONNREFUSED)))
        let port = try #require(address.port)
        let named = await failure {
            _ = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "localhost", port: port).get()
        }
        #expect(ErrorText.of(named) == String(cString: strerror(ECONNREFUSED)))
    }

    @Test("Every error that a channel has is a phrase")
    func channels() {
        let errors: [ChannelError] = [
            .connectPending, .connectTimeout(.seconds(5)), .operationUnsupported, .ioOnClosedChannel, .alreadyClosed,
            .outputClosed, .inputClosed, .eof, .writeMessageTooLarge, .writeHostUnreachable, .unknownLocalAddress,
            .inappropriateOperationForState,
        ]
        for error in errors { #expect(isPlain(ErrorText.of(error)), "\(error)") }
    }

    private func make(_ name: String, for subject: String, in directory: String) throws -> Certificate {
        let files = Certificate(chain: "\(directory)/\(name).pem", privateKey: "\(directory)/\(name).key")
        _ = try Command.run([
            openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "1", "-subj", "/CN=\(subject)", "-addext", "subjectAltName=DNS:\(subject)", "-out", files.chain, "-keyout",
            files.privateKey,
        ])
        return files
    }

    @Test("Certificates and keys that cannot be used: which file, and why")
    func files() throws {
        let directory = try TemporaryDirectory()
        let one = try make("one", for: "one.studio", in: directory.path)
        let other = try make("other", for: "other.studio", in: directory.path)
        func refusal(_ chain: String, _ key: String) -> String {
            do throws(ListenerError) {
                _ = try Certificate(chain: chain, privateKey: key).listenerContext(of: "sip")
                return ""
            } catch { return error.message }
        }
        let missing = refusal("\(directory.path)/none.pem", one.privateKey)
        #expect(missing.hasPrefix("sip certificate \(directory.path)/none.pem: No such file or directory; "))
        let noKey = refusal(one.chain, "\(directory.path)/none.key")
        #expect(noKey.hasPrefix("sip private key \(directory.path)/none.key: "))
        let swapped = refusal(one.privateKey, one.chain)
        #expect(swapped.hasPrefix("sip certificate \(one.privateKey): "))
        let unlike = refusal(one.chain, other.privateKey)
        #expect(unlike.contains(": the private key does not belong to the certificate; "))
        for text in [missing, noKey, swapped, unlike] {
            let reason = text.replacing(directory.path, with: "")
            #expect(isPlain(String(reason.split(separator: ";")[0])), "\(text)")
        }
    }

    /// Says once why TLS failed.
    private final class Failure: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let texts: AsyncStream<String>.Continuation
        init(_ texts: AsyncStream<String>.Continuation) { self.texts = texts }
        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            texts.yield(ErrorText.of(error))
            context.close(promise: nil)
        }
        func channelInactive(context: ChannelHandlerContext) { texts.finish() }
    }

    /// The text of what fails when a client that trusts `authorities` connects to whoever shows `shown`; nil: to what is not TLS.
    private func handshake(
        _ shown: Certificate?, trusting authorities: Certificate, for name: String
    ) async throws -> String? {
        let server = try shown.map { files in
            try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: NIOSSLCertificate.fromPEMFile(files.chain).map { .certificate($0) },
                    privateKey: .privateKey(NIOSSLPrivateKey(file: files.privateKey, format: .pem))))
        }
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let server else {
                        return channel.writeAndFlush(
                            ByteBuffer(string: "RTSP/1.0 400 Bad Request\r\n\r\n"), promise: nil)
                    }
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(authorities.chain)
        let context = try NIOSSLContext(configuration: configuration)
        let (texts, continuation) = AsyncStream.makeStream(of: String.self)
        _ = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        NIOSSLClientHandler(context: context, serverHostname: name), Failure(continuation))
                }
            }
            .connect(to: #require(listener.localAddress)).get()
        defer { listener.close(promise: nil) }
        return await texts.first { _ in true }
    }

    @Test("Handshakes that fail: not trusted, another name, no TLS at all")
    func handshakes() async throws {
        let directory = try TemporaryDirectory()
        let one = try make("one", for: "one.studio", in: directory.path)
        let other = try make("other", for: "other.studio", in: directory.path)
        let untrusted = try await handshake(one, trusting: other, for: "one.studio")
        #expect(untrusted?.hasPrefix("its certificate is not trusted") == true)
        let misnamed = try await handshake(one, trusting: one, for: "two.studio")
        #expect(misnamed == "its certificate is for another name")
        let plain = try await handshake(nil, trusting: one, for: "one.studio")
        #expect(plain == "what answers there is not TLS")
        for text in [untrusted, misnamed, plain] { #expect(isPlain(text ?? "")) }
    }
}
