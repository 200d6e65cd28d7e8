// The section `sip` of a configuration against this host.

import AgentSupport
import Authentication
import Node
import SIPAgent
import SIPCore

/// The findings of `check` about the SIP agent.
struct SIPCheck: Encodable {
    /// A listener and whether it can listen.
    struct Listener: Encodable {
        /// `5060/udp`, `10.1.0.1:5061/tls`.
        var listen: String
        var state: TransportPortCheck.State
    }

    var rules: Int
    var listeners: [Listener]
    /// Nil without a certificate, or where it cannot be read.
    var certificate: TLSCertificateCheck.Validity?
    /// The obstacles that keep it from working here, each with its remedy.
    var problems: [String] = []

    /// - Parameters:
    ///   - flows: The size of the flow table (`limits.flows`).
    ///   - isRunning: Whether the node's daemon runs, so that ports that are taken are its own.
    ///   - now: Seconds since the Unix epoch.
    init(_ sip: SIPConfiguration, flows: Int, isRunning: Bool, now: Int) {
        rules = sip.dialPlan.count
        listeners = []
        for listener in sip.listeners {
            let transport: TransportPortCheck.Transport = listener.transport == .udp ? .udp : .tcp
            let state = TransportPortCheck.state(
                of: transport, listener.address, listener.transportPort, isRunning: isRunning)
            listeners.append(Listener(listen: listener.text, state: state))
            if let problem = state.problem(at: transport, listener.address, listener.transportPort) {
                problems.append("sip.\(listener.transport == .tls ? "tls-listen" : "listen"): \(problem)")
            }
        }
        if let shortage = sip.limits.shortage(flows: flows) { problems.append(shortage) }
        checkFiles(sip)
        if let certificate = sip.certificate {
            let check = TLSCertificateCheck(certificate, section: "sip", now: now)
            self.certificate = check.validity
            problems += check.problems
        }
        if sip.dialPlan.isEmpty {
            problems.append(
                "sip: there is neither a dial plan nor a registrar, so that every call is refused; write dial-plan or registrar"
            )
        } else if sip.allowedNetworks.isEmpty, sip.usersFile == nil,
            !sip.dialPlan.contains(where: { $0.permission == .anyone })
        {
            problems.append(
                "sip: nobody may call; name networks (allow: [10.1.0.0/16]), or a users-file for 'crosspoint user add'")
        }
    }

    private mutating func checkFiles(_ sip: SIPConfiguration) {
        var files: [(key: String, path: String?, isSecret: Bool)] = [
            ("certificate.chain", sip.certificate?.chain, false),
            ("certificate.private-key", sip.certificate?.privateKey, true), ("ca-file", sip.authorities, false),
            ("users-file", sip.usersFile, true),
        ]
        for rule in sip.dialPlan {
            for case .nextHop(let hop) in rule.targets {
                files.append(("dial-plan.\(rule.name).to.password-file", hop.credentials?.passwordFile, true))
            }
        }
        for (key, path, isSecret) in files {
            if let problem = path.flatMap({ FileAccess.problem(of: $0, isSecret: isSecret) }) {
                problems.append("sip.\(key): \(problem)")
            }
        }
        checkUsers(sip)
    }

    /// Users of other realms cannot authenticate.
    private mutating func checkUsers(_ sip: SIPConfiguration) {
        guard let file = sip.usersFile, FileAccess.problem(of: file, isSecret: true) == nil else { return }
        do {
            let users = try UserFile.load(file)
            if !users.keys.contains(where: { $0.realm == sip.realm }) {
                problems.append(
                    "sip.users-file: '\(file)' has no user of the realm '\(sip.realm)'; add one with "
                        + "'crosspoint user add NAME --realm \(sip.realm)'")
            } else if !users.keys.contains(where: { $0.realm == sip.realm && sip.algorithms.contains($0.algorithm) }) {
                problems.append(
                    "sip.algorithms: '\(file)' has no hash for \(sip.algorithms.map(\.rawValue).joined(separator: " or ")); "
                        + "set the passwords again with 'crosspoint user add NAME --realm \(sip.realm)'")
            }
        } catch {
            problems.append("sip.users-file: \(error)")
        }
    }

    /// The lines of the report for people.
    var lines: [(key: String, value: String)] {
        let ports = listeners.map { "\($0.listen) \($0.state.rawValue)" }
        var lines = [("sip", "\(Count.text(rules, "dial plan rule")); \(ports.joined(separator: ", "))")]
        if let certificate {
            lines.append(("certificate", "valid from \(certificate.from) until \(certificate.until)"))
        }
        return lines
    }
}
