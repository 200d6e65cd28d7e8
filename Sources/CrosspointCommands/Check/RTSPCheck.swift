// The section `rtsp` of a configuration against this host.

import AgentSupport
import Node
import RTSPProxy
import Routing

/// The findings of `check` about the RTSP proxy.
struct RTSPCheck: Encodable {
    /// A listener and whether it can listen.
    struct Listener: Encodable {
        /// `554`, `10.1.0.1:554`.
        var listen: String
        var tls: Bool
        var state: TransportPortCheck.State
    }

    var routes: Int
    var listeners: [Listener]
    /// Nil without a certificate, or where it cannot be read.
    var certificate: TLSCertificateCheck.Validity?
    /// The obstacles that keep it from working here, each with its remedy.
    var problems: [String] = []

    /// - Parameters:
    ///   - interfaces: The names of this host's interfaces.
    ///   - isRunning: Whether the node's daemon runs, so that TCP ports that are taken are its own.
    ///   - now: Seconds since the Unix epoch.
    init(_ rtsp: RTSPConfiguration, interfaces: [String], isRunning: Bool, now: Int) {
        routes = rtsp.routes.count
        listeners = []
        for listener in rtsp.listeners {
            let state = TransportPortCheck.state(
                of: .tcp, listener.address, listener.tcpPort, isRunning: isRunning)
            listeners.append(Listener(listen: listener.text, tls: listener.usesTLS, state: state))
            if let problem = state.problem(at: .tcp, listener.address, listener.tcpPort) {
                problems.append("rtsp.\(listener.usesTLS ? "tls-listen" : "listen"): \(problem)")
            }
        }
        checkFiles(rtsp)
        if let certificate = rtsp.certificate {
            let check = TLSCertificateCheck(certificate, section: "rtsp", now: now)
            self.certificate = check.validity
            problems += check.problems
        }
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

    /// The lines of the report for people.
    var lines: [(key: String, value: String)] {
        let ports = listeners.map { "\($0.listen)\($0.tls ? " TLS" : "") \($0.state.rawValue)" }
        var lines = [("rtsp", "\(Count.text(routes, "route")); \(ports.joined(separator: ", "))")]
        if let certificate {
            lines.append(("certificate", "valid from \(certificate.from) until \(certificate.until)"))
        }
        return lines
    }
}
