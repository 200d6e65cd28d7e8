// State that TLS connections share.

import AgentSupport
import NIOSSL

/// TLS contexts from the configuration's files.
enum SIPTLS {
    /// For peers that connect.
    static func server(_ certificate: Certificate) throws(SIPTransportError) -> NIOSSLContext {
        do throws(ListenerError) { return try certificate.listenerContext(of: "sip") } catch {
            throw SIPTransportError(error.message)
        }
    }

    /// For next hops: their certificate must name them, and they are shown the node's where they ask.
    static func client(_ configuration: SIPConfiguration) throws(SIPTransportError) -> NIOSSLContext {
        var client = TLSConfiguration.makeClientConfiguration()
        if let authorities = configuration.authorities { client.trustRoots = .file(authorities) }
        if let certificate = configuration.certificate {
            do throws(ListenerError) {
                let (chain, key) = try certificate.load(for: "sip")
                (client.certificateChain, client.privateKey) = (chain, .privateKey(key))
            } catch { throw SIPTransportError(error.message) }
        }
        do { return try NIOSSLContext(configuration: client) } catch {
            throw SIPTransportError(
                "sip ca-file \(configuration.authorities ?? "of the system"): \(ErrorText.of(error)); it must be "
                    + "certificates in PEM")
        }
    }
}
