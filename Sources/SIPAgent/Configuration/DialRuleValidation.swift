// Checks that every rule of a dial plan must pass; each part by itself, so that a configuration file's errors name their line.

public import Routing
public import SIPCore

extension DialRule {
    /// Throws if no node could call by this rule: a pattern that is none, a rewriting that names what its pattern does not find.
    public func validate() throws(SpecificationError) {
        try RouteSpecification.validate(name: name)
        _ = try DialPlan([self])
        guard protection == .required else { return }
        for case .nextHop(let hop) in targets where hop.uri.scheme != .sips && hop.uri.transport != .tls {
            throw SpecificationError(
                .setting("srtp"), protection.rawValue, "needs TLS, and \(hop.uri) is called without",
                remedy: "write sips:… or add ;transport=tls")
        }
    }

    /// The rule of a node that has a registrar and no configured dial plan: every name is a registered device's.
    public static let registered = DialRule(name: "registered", targets: [.registered])
}

extension DialPattern {
    /// Throws what is wrong with the pattern; `key` is the setting's name.
    public func validate(setting key: String) throws(SpecificationError) { _ = try DialMatcher(self, setting: key) }
}

extension DialTarget {
    /// The target that `text` names: `registered`, or a sip or sips URI.
    public init(_ text: String) throws(SpecificationError) {
        guard text != "registered" else {
            self = .registered
            return
        }
        self = .nextHop(NextHop(uri: try Self.uri(text)))
    }

    /// The URI of a next hop.
    public static func uri(_ text: String) throws(SpecificationError) -> SIPURI {
        let remedy = "write registered, or a URI such as sip:10.2.0.5 or 'sip:proxy.studio.example;transport=tcp'"
        guard let uri = try? SIPURI(text), uri.scheme == .sip || uri.scheme == .sips else {
            throw SpecificationError(.setting("to"), text, "is no sip or sips URI", remedy: remedy)
        }
        guard uri.password == nil else {
            throw SpecificationError(
                .setting("to"), "\(uri.scheme == .sips ? "sips" : "sip"):…", "holds a password",
                remedy: "write {uri: …, user: …, password-file: FILE}")
        }
        guard uri.headers == nil else {
            throw SpecificationError(.setting("to"), text, "has headers", remedy: "leave out what begins with '?'")
        }
        switch uri.transport {
        case nil, .udp, .tcp, .tls: return uri
        case .other(let name):
            throw SpecificationError(
                .setting("to"), text, "asks for the transport \(name)", remedy: "use udp, tcp or tls")
        }
    }
}

extension DialRule.Permission {
    /// The permission that one word means: `allowed`, `anyone` or `any-user`.
    public init(word: String) throws(SpecificationError) {
        switch word {
        case "allowed": self = .allowed
        case "anyone": self = .anyone
        case "any-user": self = .anyUser
        default:
            throw SpecificationError(
                .setting("callers"), word, "is unknown",
                remedy: "use allowed, anyone, any-user or a list of users, [\(word)]")
        }
    }

    /// True if the rule asks for a user wherever the call comes from.
    public var needsUsers: Bool {
        switch self {
        case .allowed, .anyone: false
        case .anyUser, .users: true
        }
    }
}
