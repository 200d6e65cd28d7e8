// The certificate of a section of the configuration.

import AgentSupport
import NIOSSL
import Node
import Timing

/// The findings of `check` about a certificate and its private key.
struct TLSCertificateCheck {
    /// The times between which the node's certificate is valid, RFC 3339.
    struct Validity: Encodable {
        var from: String
        var until: String
    }

    /// Nil where the certificate cannot be read.
    var validity: Validity?
    /// The obstacles that keep it from being used, each with its remedy. A file that cannot be read at all is not among them.
    var problems: [String] = []

    /// - Parameters:
    ///   - section: `rtsp` or `sip`, for the problems.
    ///   - now: Seconds since the Unix epoch.
    init(_ certificate: Certificate, section: String, now: Int) {
        guard FileAccess.problem(of: certificate.chain, isSecret: false) == nil else { return }
        guard let own = try? NIOSSLCertificate.fromPEMFile(certificate.chain).first else {
            problems.append(
                "\(section).certificate.chain: '\(certificate.chain)' holds no certificate in PEM; name one that does")
            return
        }
        let (from, until) = (Int(own.notValidBefore), Int(own.notValidAfter))
        let validity = Validity(from: Self.text(from), until: Self.text(until))
        self.validity = validity
        if now < from {
            problems.append(
                "\(section).certificate: it is valid from \(validity.from) on only; set this host's clock, or wait")
        }
        if now > until {
            problems.append("\(section).certificate: it was valid until \(validity.until); renew it")
        }
        guard FileAccess.problem(of: certificate.privateKey, isSecret: true) == nil else { return }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate.chain).map {
                NIOSSLCertificateSource.certificate($0)
            }
            let key = try NIOSSLPrivateKey(file: certificate.privateKey, format: .pem)
            _ = try NIOSSLContext(
                configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
        } catch {
            problems.append(
                "\(section).certificate.private-key: '\(certificate.privateKey)' is not the key of the certificate in PEM "
                    + "without a passphrase; name that")
        }
    }

    private static func text(_ seconds: Int) -> String {
        RFC3339.text(unixNanoseconds: UInt64(max(seconds, 0)) * 1_000_000_000)
    }
}
