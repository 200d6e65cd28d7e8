// The section `sip` with the keys of the file.

import AgentSupport
import Authentication
import RTPWire
import SIPAgent
import SIPCore

extension SIPConfiguration {
    /// The section as it is written. It contains no password: files hold them.
    var settings: SettingTree {
        let defaults = SIPConfiguration()
        let defaultListeners = Self.defaultListeners(hasCertificate: certificate != nil)
        var pairs: [SettingTree.Pair] = [
            .init(
                "listen", .texts(listeners.listenTexts),
                isDefault: listeners.listenTexts == defaultListeners.listenTexts),
            .init(
                "tls-listen", .texts(listeners.tlsListenTexts),
                isDefault: listeners.tlsListenTexts == defaultListeners.tlsListenTexts),
        ]
        func add(_ key: String, _ text: String?, default standard: String? = nil) {
            if let text { pairs.append(.init(key, .text(text), isDefault: text == standard)) }
        }
        func add(_ key: String, _ texts: [String]) {
            pairs.append(.init(key, .texts(texts), isDefault: texts.isEmpty))
        }
        if let certificate {
            pairs.append(
                .init(
                    "certificate",
                    .pairs([
                        .init("chain", .text(certificate.chain)), .init("private-key", .text(certificate.privateKey)),
                    ])))
        }
        add("ca-file", authorities)
        add("names", names)
        add("realm", realm, default: defaults.realm)
        pairs.append(
            .init(
                "algorithms", .texts(algorithms.map(\.setting)), isDefault: algorithms == Self.defaultAlgorithms))
        add("users-file", usersFile)
        add("allow", allowedNetworks.map(\.description))
        add("media-networks", mediaNetworks.map(\.description))
        add("udp-ports", udpPortsText, default: defaults.udpPortsText)
        add("source", sourcePolicy.rawValue, default: defaults.sourcePolicy.rawValue)
        if let registrar { pairs.append(.init("registrar", registrar.settings)) }
        pairs.append(
            .init(
                "session-timer", sessionTimer?.settings ?? .text("off"),
                isDefault: sessionTimer == SessionTimer.Policy()))
        pairs.append(
            .init(
                "no-media-timeout", noMediaTimeout.map { .number($0) } ?? .text("off"),
                isDefault: noMediaTimeout == defaults.noMediaTimeout))
        pairs.append(.init("limits", limits.settings, isDefault: limits == defaults.limits))
        pairs.append(
            .init(
                "dial-plan", .list(dialPlan.map(\.settings)),
                isDefault: dialPlan == Self.defaultDialPlan(hasRegistrar: registrar != nil)))
        return .pairs(pairs)
    }

    /// `30000-39999`.
    var udpPortsText: String { "\(udpPorts.lowerBound)-\(udpPorts.upperBound)" }
}

extension RegistrarConfiguration {
    fileprivate var settings: SettingTree {
        let defaults = RegistrarConfiguration()
        func number(_ key: String, _ path: KeyPath<Self, Int>) -> SettingTree.Pair {
            .init(key, .number(self[keyPath: path]), isDefault: self[keyPath: path] == defaults[keyPath: path])
        }
        return .pairs([
            .init("domains", .texts(domains), isDefault: domains.isEmpty),
            .init("allow", .texts(allowedNetworks.map(\.description)), isDefault: allowedNetworks.isEmpty),
            number("max-expires", \.maximumExpiry), number("min-expires", \.minimumExpiry),
            number("max-contacts", \.maximumContacts),
        ])
    }
}

extension SessionTimer.Policy {
    fileprivate var settings: SettingTree {
        let defaults = SessionTimer.Policy()
        return .pairs([
            .init("interval", .number(Int(interval)), isDefault: interval == defaults.interval),
            .init("minimum", .number(Int(minimum)), isDefault: minimum == defaults.minimum),
        ])
    }
}

extension SIPLimitsConfiguration {
    fileprivate var settings: SettingTree {
        let defaults = SIPLimitsConfiguration()
        return .pairs(
            Self.settings.map { setting in
                let value = self[keyPath: setting.path]
                return .init(setting.key, .number(value), isDefault: value == defaults[keyPath: setting.path])
            })
    }
}

extension DialRule {
    fileprivate var settings: SettingTree {
        let defaults = DialRule(name: name, targets: targets)
        var pairs: [SettingTree.Pair] = [.init("name", .text(name))]
        if let user { pairs.append(.init("user", user.settings)) }
        if let host { pairs.append(.init("host", host.settings)) }
        pairs.append(.init("from", .texts(sources.map(\.description)), isDefault: sources.isEmpty))
        pairs.append(.init("callers", permission.settings, isDefault: permission == defaults.permission))
        let to = targets.map(\.settings)
        pairs.append(.init("to", to.count == 1 ? to[0] : .list(to)))
        pairs.append(.init("forking", .text(forking.rawValue), isDefault: forking == defaults.forking))
        pairs.append(.init("ring-time", .number(ringTime), isDefault: ringTime == defaults.ringTime))
        pairs.append(.init("srtp", .text(protection.rawValue), isDefault: protection == defaults.protection))
        let rewrite = [("user", rewriteUser), ("host", rewriteHost)].compactMap { key, text in
            text.map { SettingTree.Pair(key, .text($0)) }
        }
        if !rewrite.isEmpty { pairs.append(.init("rewrite", .pairs(rewrite))) }
        return .pairs(pairs)
    }
}

extension DialPattern {
    fileprivate var settings: SettingTree {
        switch self {
        case .exact(let text): .text(text)
        case .prefix(let text): .pairs([.init("prefix", .text(text))])
        case .expression(let text): .pairs([.init("regex", .text(text))])
        }
    }
}

extension DialRule.Permission {
    fileprivate var settings: SettingTree {
        switch self {
        case .allowed: .text("allowed")
        case .anyone: .text("anyone")
        case .anyUser: .text("any-user")
        case .users(let users): .texts(users.sorted())
        }
    }
}

extension DialTarget {
    fileprivate var settings: SettingTree {
        switch self {
        case .registered: return .text("registered")
        case .nextHop(let hop):
            guard let credentials = hop.credentials else { return .text(hop.uri.description) }
            return .pairs([
                .init("uri", .text(hop.uri.description)), .init("user", .text(credentials.user)),
                .init("password-file", .text(credentials.passwordFile)),
            ])
        }
    }
}
