// State that TLS connections share.

import AgentSupport
import NIOSSL

/// TLS contexts from the configuration's files.
enum SIPTLS {
    /// For peers that connect.
    static func server(_ certificate: Certificate) throws(SIPTransportError) -> NIOSSLContext {
        do {
            let (chain, key) = try load(certificate)
            return try NIOSSLContext(
                configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
        } catch { throw problem(certificate, error) }
    }

    /// For next hops: their certificate must name them, and they are shown the node's where they ask.
    static func client(_ configuration: SIPConfiguration) throws(SIPTransportError) -> NIOSSLContext {
        var client = TLSConfiguration.makeClientConfiguration()
        if let authorities = configuration.authorities { client.trustRoots = .file(authorities) }
        if let certificate = configuration.certificate {
            do {
                let (chain, key) = try load(certificate)
                client.certificateChain = chain
                client.privateKey = .privateKey(key)
            } catch { throw problem(certificate, error) }
        }
        do { return try NIOSSLContext(configuration: client) } catch {
            throw SIPTransportError(
                "sip ca-file \(configuration.authorities ?? "of the system"): \(error); it must be certificates in PEM")
        }
    }

    private static func load(
        _ certificate: Certificate
    ) throws -> ([NIOSSLCertificateSource], NIOSSLPrivateKey) {
        let chain = try NIOSSLCertificate.fromPEMFile(certificate.chain).map { NIOSSLCertificateSource.certificate($0) }
        return (chain, try NIOSSLPrivateKey(file: certificate.privateKey, format: .pem))
    }

    private static func problem(_ certificate: Certificate, _ error: any Error) -> SIPTransportError {
        SIPTransportError(
            "sip certificate \(certificate.chain), \(certificate.privateKey): \(error); both must be PEM files that belong "
                + "together")
    }
}
