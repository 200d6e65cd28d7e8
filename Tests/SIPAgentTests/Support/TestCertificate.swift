// A certificate for the length of a test.

import AgentSupport
import Glibc
import NIOSSL
import TestSupport

/// A key with a certificate that vouches for itself, for 127.0.0.1.
struct TestCertificate: Sendable {
    static let openssl = "/usr/bin/openssl"
    static var canBeMade: Bool { access(openssl, X_OK) == 0 }

    let files: Certificate

    /// - Parameter address: What it is for.
    init(in directory: String, for address: String = "127.0.0.1") throws {
        files = Certificate(chain: "\(directory)/\(address).pem", privateKey: "\(directory)/\(address)-key.pem")
        _ = try Command.run([
            Self.openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days",
            "1", "-subj", "/CN=test", "-addext", "subjectAltName=IP:\(address)", "-out", files.chain, "-keyout",
            files.privateKey,
        ])
    }

    func serverContext() throws -> NIOSSLContext {
        try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: NIOSSLCertificate.fromPEMFile(files.chain).map { .certificate($0) },
                privateKey: .privateKey(NIOSSLPrivateKey(file: files.privateKey, format: .pem))))
    }

    func clientContext() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(files.chain)
        return try NIOSSLContext(configuration: configuration)
    }
}
