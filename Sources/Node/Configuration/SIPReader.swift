// The section `sip` of a configuration file, apart from its dial plan.

import Authentication
import RTPWire
import Routing
import SIPAgent
import SIPCore

/// Reads the section `sip`.
struct SIPReader {
    let node: ConfigurationNode
    /// True if the files that it names must be there and fit to be used.
    let checksFiles: Bool

    private static let keys = [
        "listen", "tls-listen", "certificate", "ca-file", "names", "realm", "algorithms", "users-file", "allow",
        "media-networks", "udp-ports", "source", "dial-plan", "registrar", "session-timer", "no-media-timeout",
        "limits",
    ]

    func read() throws(ConfigurationError) -> SIPConfiguration {
        let values = try node.values(known: Self.keys)
        var sip = SIPConfiguration()
        if let node = values["certificate"] { sip.certificate = try node.certificate(checks: checksFiles) }
        sip.listeners = try listeners(values, hasCertificate: sip.certificate != nil)
        if let node = values["ca-file"] { sip.authorities = try node.file(checks: checksFiles) }
        if let node = values["names"] { sip.names = try names(node) }
        if let node = values["realm"] { sip.realm = try node.realm() }
        if let node = values["algorithms"] { sip.algorithms = try algorithms(node) }
        if let node = values["users-file"] { sip.usersFile = try node.file(checks: checksFiles, isSecret: true) }
        if let node = values["allow"] { sip.allowedNetworks = try node.networks() }
        if let node = values["media-networks"] { sip.mediaNetworks = try mediaNetworks(node) }
        if let node = values["udp-ports"] { sip.udpPorts = try node.udpPorts(example: sip.udpPorts) }
        if let node = values["source"] { sip.sourcePolicy = try node.choice() }
        if let node = values["registrar"] { sip.registrar = try registrar(node, hasUsers: sip.usersFile != nil) }
        if let node = values["session-timer"] { sip.sessionTimer = try sessionTimer(node) }
        if let node = values["no-media-timeout"] { sip.noMediaTimeout = try noMediaTimeout(node) }
        if let node = values["limits"] { sip.limits = try limits(node) }
        if let node = values["dial-plan"], !node.isEmpty {
            sip.dialPlan = try DialPlanReader(
                node: node, hasUsers: sip.usersFile != nil, hasRegistrar: sip.registrar != nil,
                checksFiles: checksFiles
            ).read()
        } else {
            sip.dialPlan = SIPConfiguration.defaultDialPlan(hasRegistrar: sip.registrar != nil)
        }
        return sip
    }

    private func listeners(
        _ values: [String: ConfigurationNode], hasCertificate: Bool
    ) throws(ConfigurationError) -> [SIPConfiguration.Listener] {
        var listeners: [SIPConfiguration.Listener] = []
        var lines: [Int] = []
        for (key, usesTLS) in [("listen", false), ("tls-listen", true)] {
            guard let node = values[key] else {
                let defaults = SIPConfiguration.defaultListeners(hasCertificate: hasCertificate)
                let wanted = defaults.filter { ($0.transport == .tls) == usesTLS }
                listeners += wanted
                lines += wanted.map { _ in self.node.line }
                continue
            }
            let elements = try node.elements()
            guard !usesTLS || elements.isEmpty || hasCertificate else {
                throw node.error("needs a certificate; name it: certificate: {chain: FILE, private-key: FILE}")
            }
            for element in elements {
                let text = try element.text()
                guard let found = SIPConfiguration.Listener.listeners(text, usesTLS: usesTLS) else {
                    throw element.error(
                        usesTLS
                            ? "'\(text)' is neither a TCP port nor an address and a TCP port; write 5061, 10.1.0.1:5061 or \"[::1]:5061\""
                            : "'\(text)' is no UDP and TCP port; write 5060, 10.1.0.1:5060, \"[::1]:5060\", or 5060/udp or 5060/tcp for one of them"
                    )
                }
                for listener in found {
                    if let other = listeners.firstIndex(where: listener.overlaps) {
                        throw element.error(
                            "'\(text)' listens where '\(listeners[other].text)' of line \(lines[other]) does; keep one")
                    }
                    listeners.append(listener)
                    lines.append(element.line)
                }
            }
        }
        guard !listeners.isEmpty else {
            throw (values["listen"] ?? node).error("is empty, so that nobody can call; list ports, or leave it out")
        }
        return listeners
    }

    /// Hosts as they stand in URIs, in lower case.
    private func names(_ node: ConfigurationNode) throws(ConfigurationError) -> [String] {
        var names: [String] = []
        for element in try node.elements() {
            let text = try element.text()
            guard let host = try? SIPHost(IPAddress(text)?.bracketed ?? text) else {
                throw element.error("'\(text)' is neither a domain name nor an address; write sip.studio.example")
            }
            let name = host.address?.description ?? text.lowercased()
            guard !names.contains(name) else { throw element.error("'\(name)' stands twice; keep one") }
            names.append(name)
        }
        return names
    }

    /// The algorithms that digest authentication is offered with, the first first.
    private func algorithms(_ node: ConfigurationNode) throws(ConfigurationError) -> [DigestAlgorithm] {
        var algorithms: [DigestAlgorithm] = []
        for element in try node.elements() {
            let text = try element.text()
            guard let algorithm = DigestAlgorithm.allCases.first(where: { $0.setting == text.lowercased() }) else {
                let known = DigestAlgorithm.allCases.map(\.setting)
                throw element.error("'\(text)' is unknown; \(Suggestion.remedy(for: text, in: known))")
            }
            guard !algorithms.contains(algorithm) else { throw element.error("'\(text)' stands twice; keep one") }
            algorithms.append(algorithm)
        }
        guard !algorithms.isEmpty else {
            throw node.error("is empty, so that nobody could authenticate; write [md5, sha-256], or leave it out")
        }
        return algorithms
    }

    /// The networks that media may go to; a network that holds groups or loopback would be a promise that is not kept.
    private func mediaNetworks(_ node: ConfigurationNode) throws(ConfigurationError) -> [IPNetwork] {
        let networks = try node.networks()
        if let network = networks.first(where: { $0.address.isMulticast || $0.address.isLoopback }) {
            throw node.error(
                "'\(network)' is no network of devices; media of calls goes to unicast addresses of other hosts")
        }
        return networks
    }

    private func registrar(
        _ node: ConfigurationNode, hasUsers: Bool
    ) throws(ConfigurationError) -> RegistrarConfiguration {
        var registrar = RegistrarConfiguration()
        let values = try node.values(known: ["domains", "allow", "max-expires", "min-expires", "max-contacts"])
        if let node = values["domains"] { registrar.domains = try names(node) }
        if let node = values["allow"] { registrar.allowedNetworks = try node.networks() }
        if let node = values["max-expires"] { registrar.maximumExpiry = try node.number(in: 60...604_800) }
        if let node = values["min-expires"] { registrar.minimumExpiry = try node.number(in: 1...86_400) }
        if let node = values["max-contacts"] { registrar.maximumContacts = try node.number(in: 1...100) }
        guard registrar.minimumExpiry <= registrar.maximumExpiry else {
            throw (values["min-expires"] ?? node).error(
                "is longer than max-expires (\(registrar.maximumExpiry)); devices could not agree to any time")
        }
        guard hasUsers || !registrar.allowedNetworks.isEmpty else {
            throw node.error(
                "lets nobody register; name a users-file in section sip, or the networks of the devices: allow: [10.1.0.0/16]"
            )
        }
        return registrar
    }

    private func sessionTimer(_ node: ConfigurationNode) throws(ConfigurationError) -> SessionTimer.Policy? {
        if node.isOff { return nil }
        let values = try node.values(known: ["interval", "minimum"])
        var timer = SessionTimer.Policy()
        if let node = values["minimum"] { timer.minimum = UInt32(try node.number(in: 90...86_400)) }
        if let node = values["interval"] { timer.interval = UInt32(try node.number(in: 90...86_400)) }
        guard timer.interval >= timer.minimum else {
            throw (values["interval"] ?? node).error(
                "asks for \(timer.interval) s, less than the minimum of \(timer.minimum) s; use a longer interval")
        }
        return timer
    }

    private func noMediaTimeout(_ node: ConfigurationNode) throws(ConfigurationError) -> Int? {
        node.isOff ? nil : try node.number(in: 5...86_400)
    }

    private func limits(_ node: ConfigurationNode) throws(ConfigurationError) -> SIPLimitsConfiguration {
        let values = try node.values(known: SIPLimitsConfiguration.settings.map(\.key))
        var limits = SIPLimitsConfiguration()
        for setting in SIPLimitsConfiguration.settings {
            if let node = values[setting.key] { limits[keyPath: setting.path] = try node.number(in: setting.range) }
        }
        return limits
    }
}

extension SIPConfiguration {
    /// The dial plan of a node for which none is configured.
    static func defaultDialPlan(hasRegistrar: Bool) -> [DialRule] { hasRegistrar ? [.registered] : [] }
}

extension DigestAlgorithm {
    /// The form in the file: `sha-256`, `md5`.
    var setting: String { rawValue.lowercased() }
}

extension SIPLimitsConfiguration {
    /// The keys of `limits` with what they may be.
    static var settings: [(key: String, path: WritableKeyPath<Self, Int>, range: ClosedRange<Int>)] {
        [
            ("calls", \.calls, 1...1_048_576), ("calls-per-source", \.callsPerSource, 1...1_048_576),
            ("requests-per-second", \.requestsPerSecond, 0...1_000_000), ("burst", \.burst, 1...1_000_000),
            ("registrations", \.registrations, 1...1_048_576),
            ("registrations-per-source", \.registrationsPerSource, 1...1_048_576),
            ("connections", \.connections, 1...65_536),
            ("connections-per-source", \.connectionsPerSource, 1...65_536),
        ]
    }
}

extension ConfigurationNode {
    /// True if the value is the word `off`.
    fileprivate var isOff: Bool { !isMapping && !isList && (try? text()) == "off" }

    /// One of the words of an enumeration.
    func choice<Value: RawRepresentable & CaseIterable>() throws(ConfigurationError) -> Value
    where Value.RawValue == String {
        let text = try text()
        guard let value = Value(rawValue: text) else {
            throw error("'\(text)' is unknown; \(Suggestion.remedy(for: text, in: Value.allCases.map(\.rawValue)))")
        }
        return value
    }
}
