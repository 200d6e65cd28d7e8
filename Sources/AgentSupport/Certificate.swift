// Certificate that a TLS listener shows to those who connect.

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
    /// - Throws: Which files cannot be used, and why.
    public func listenerContext(of agent: String) throws(ListenerError) -> NIOSSLContext {
        do {
            let certificates = try NIOSSLCertificate.fromPEMFile(chain).map { NIOSSLCertificateSource.certificate($0) }
            let key = try NIOSSLPrivateKey(file: privateKey, format: .pem)
            return try NIOSSLContext(
                configuration: .makeServerConfiguration(certificateChain: certificates, privateKey: .privateKey(key)))
        } catch {
            throw ListenerError(
                "\(agent) certificate \(chain), \(privateKey): \(error); both must be PEM files that belong together")
        }
    }
}
