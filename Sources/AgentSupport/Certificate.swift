// Certificate that a TLS listener shows to those who connect.

import Glibc
public import NIOSSL

/// A certificate with its private key: files in PEM.
public struct Certificate: Hashable, Sendable {
    /// The chain, the node's own first.
    public var chain: String
    public var privateKey: String

    public init(chain: String, privateKey: String) {
        self.chain = chain
        self.privateKey = privateKey
    }

    /// The TLS context that the listeners of one agent share.
    ///
    /// - Parameter agent: The section of the configuration, for the refusal: `rtsp`, `sip`.
    /// - Throws: Which file cannot be used, and why.
    public func listenerContext(of agent: String) throws(ListenerError) -> NIOSSLContext {
        let (chain, key) = try load(for: agent)
        do {
            return try NIOSSLContext(
                configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
        } catch { throw mismatch(of: agent, error) }
    }

    /// Reads both files.
    ///
    /// - Throws: Which file cannot be used, and why.
    public func load(
        for agent: String
    ) throws(ListenerError) -> (chain: [NIOSSLCertificateSource], key: NIOSSLPrivateKey) {
        try checkReadable(chain, "\(agent) certificate")
        try checkReadable(privateKey, "\(agent) private key")
        let certificates: [NIOSSLCertificate]
        do { certificates = try NIOSSLCertificate.fromPEMFile(chain) } catch {
            throw ListenerError(
                "\(agent) certificate \(chain): \(ErrorText.of(error)); name a readable file of certificates in PEM")
        }
        do {
            let key = try NIOSSLPrivateKey(file: privateKey, format: .pem)
            return (certificates.map { .certificate($0) }, key)
        } catch {
            throw ListenerError(
                "\(agent) private key \(privateKey): \(ErrorText.of(error)); name a readable file with a private key in PEM"
            )
        }
    }

    /// The refusal of two files that do not belong together.
    private func mismatch(of agent: String, _ error: any Error) -> ListenerError {
        // Each of them can be used by itself.
        let isUnlike = error as? NIOSSLError == .failedToLoadPrivateKey
        let reason = isUnlike ? "the private key does not belong to the certificate" : ErrorText.of(error)
        return ListenerError(
            "\(agent) certificate \(chain), \(privateKey): \(reason); name a certificate and its own key")
    }

    private func checkReadable(_ path: String, _ what: String) throws(ListenerError) {
        guard access(path, R_OK) != 0 else { return }
        throw ListenerError(
            "\(what) \(path): \(String(cString: strerror(errno))); name a file in PEM that the daemon's user can read")
    }
}
