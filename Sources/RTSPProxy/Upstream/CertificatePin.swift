// The check of an upstream's certificate by its fingerprint.

import AgentSupport
import Authentication
import NIOCore
import NIOSSL
import Synchronization

/// Takes one certificate and no other, whoever vouches for it and whatever names it has.
final class CertificatePin: Sendable {
    private let wanted: CertificateFingerprint
    /// The reason for which the last certificate was refused: TLS itself says only that it was.
    private let reason = Mutex<String?>(nil)

    init(_ wanted: CertificateFingerprint) { self.wanted = wanted }

    var refusal: String? { reason.withLock(\.self) }

    /// A context for connections whose certificates are checked here alone, without authorities and names.
    static func context() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates([])
        configuration.certificateVerification = .noHostnameVerification
        return try NIOSSLContext(configuration: configuration)
    }

    /// A handler for a connection to an upstream, with a context of `context()`; `name` is what it is asked for by.
    func handler(_ context: NIOSSLContext, name: String?) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(context: context, serverHostname: name) { [self] certificates, promise in
            promise.succeed(check(certificates.first) ? .certificateVerified : .failed)
        }
    }

    private func check(_ certificate: NIOSSLCertificate?) -> Bool {
        guard let bytes = try? certificate?.toDERBytes() else { return false }
        let shown = CertificateFingerprint(of: bytes)
        guard shown != wanted else { return true }
        reason.withLock { $0 = "its certificate has another fingerprint than the route's: \(shown)" }
        return false
    }
}
