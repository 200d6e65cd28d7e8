// The section `rtsp` of a configuration against this host.

import AgentSupport
import FoundationEssentials
import NIOSSL
import Node
import RTSPProxy
import Routing

/// What `check` found about the RTSP proxy.
struct RTSPCheck: Encodable {
    /// A listener and whether it can listen.
    struct Listener: Encodable {
        /// `554`, `10.1.0.1:554`.
        var listen: String
        var tls: Bool
        var state: TCPPortCheck.State
    }

    /// The times between which the node's certificate is valid, RFC 3339.
    struct Validity: Encodable {
        var from: String
        var until: String
    }

    var routes: Int
    var listeners: [Listener]
    /// Nil without a certificate, or where it cannot be read.
    var certificate: Validity?
    /// What keeps it from working here, each with its remedy.
    var problems: [String] = []

    /// - Parameters:
    ///   - interfaces: The names of this host's interfaces.
    ///   - isRunning: Whether the node's daemon runs, so that TCP ports that are taken are its own.
    ///   - now: Seconds since the Unix epoch.
    init(_ rtsp: RTSPConfiguration, interfaces: [String], isRunning: Bool, now: Int) {
        routes = rtsp.routes.count
        listeners = []
        for listener in rtsp.listeners {
            let state = TCPPortCheck.state(of: listener, isRunning: isRunning)
            listeners.append(Listener(listen: listener.text, tls: listener.usesTLS, state: state))
            if let problem = state.problem(at: listener) {
                problems.append("rtsp.\(listener.usesTLS ? "tls-listen" : "listen"): \(problem)")
            }
        }
        checkFiles(rtsp)
        if let certificate = rtsp.certificate { check(certificate, now: now) }
        if let pool = rtsp.multicast {
            let name = pool.port.interface
            if !interfaces.contains(name) {
                problems.append(
                    "rtsp.multicast.interface: there is no interface '\(name)' on this host; "
                        + "this host has \(interfaces.sorted().joined(separator: ", "))")
            }
        }
    }

    private mutating func checkFiles(_ rtsp: RTSPConfiguration) {
        let files: [(key: String, path: String?, isSecret: Bool)] = [
            ("certificate.chain", rtsp.certificate?.chain, false),
            ("certificate.private-key", rtsp.certificate?.privateKey, true), ("ca-file", rtsp.authorities, false),
            ("users-file", rtsp.usersFile, true),
        ]
        for (key, path, isSecret) in files {
            if let problem = path.flatMap({ FileAccess.problem(of: $0, isSecret: isSecret) }) {
                problems.append("rtsp.\(key): \(problem)")
            }
        }
    }

    private mutating func check(_ certificate: Certificate, now: Int) {
        guard FileAccess.problem(of: certificate.chain, isSecret: false) == nil else { return }
        guard let own = try? NIOSSLCertificate.fromPEMFile(certificate.chain).first else {
            problems.append(
                "rtsp.certificate.chain: '\(certificate.chain)' holds no certificate in PEM; name one that does")
            return
        }
        let (from, until) = (Int(own.notValidBefore), Int(own.notValidAfter))
        let validity = Validity(from: Self.text(from), until: Self.text(until))
        self.certificate = validity
        if now < from {
            problems.append(
                "rtsp.certificate: it is valid from \(validity.from) on only; set this host's clock, or wait")
        }
        if now > until {
            problems.append("rtsp.certificate: it was valid until \(validity.until); renew it")
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
                "rtsp.certificate.private-key: '\(certificate.privateKey)' is not the key of the certificate in PEM "
                    + "without a passphrase; name that")
        }
    }

    /// The lines of the report for people.
    var lines: [(key: String, value: String)] {
        let ports = listeners.map { "\($0.listen)\($0.tls ? " TLS" : "") \($0.state.rawValue)" }
        var lines = [("rtsp", "\(Count.text(routes, "route")); \(ports.joined(separator: ", "))")]
        if let certificate {
            lines.append(("certificate", "valid from \(certificate.from) until \(certificate.until)"))
        }
        return lines
    }

    private static func text(_ seconds: Int) -> String {
        RFC3339.text(unixNanoseconds: UInt64(max(seconds, 0)) * 1_000_000_000)
    }
}
