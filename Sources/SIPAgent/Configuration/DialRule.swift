// Rules that map a called URI to the parties that are reached.

public import RTPWire

/// One entry of `sip: dial-plan:`.
public struct DialRule: Hashable, Sendable {
    /// In which order the targets are called.
    public enum Forking: String, Hashable, Sendable, Codable, CaseIterable {
        /// One after the other, until one takes the call (the default).
        case sequence
        /// All at once; the first that takes the call has it.
        case parallel
    }

    /// The callers that may call by this rule.
    public enum Permission: Hashable, Sendable {
        /// Callers from networks of `sip: allow:`, and every user after authentication (the default).
        case allowed
        /// Whoever reaches the node.
        case anyone
        /// Every user of the users' file, after authentication, wherever the call comes from.
        case anyUser
        /// These users, after authentication, wherever the call comes from.
        case users(Set<String>)
    }

    /// Unique in the dial plan: 1 to 63 characters of letters, digits, `-`, `_`, `.`.
    public var name: String
    /// `user`: the user part of the Request-URI, escapes undone; nil for any, and for none. Names are compared with regard to case.
    public var user: DialPattern?
    /// `host`: the host of the Request-URI, in lower case, IPv6 without brackets; nil for any.
    public var host: DialPattern?
    /// `from`: the networks that the call comes from; empty for all.
    public var sources: [IPNetwork]
    /// `callers`
    public var permission: Permission
    /// `to`: who is called.
    public var targets: [DialTarget]
    /// `forking`
    public var forking: Forking
    /// `ring-time`: seconds after which a target that has not answered is given up.
    public var ringTime: Int
    /// `srtp`: who encrypts the media.
    public var protection: MediaProtection
    /// `rewrite.user`: the user part of the new Request-URI. `$user` is the user that was called, `$1` to `$9` are the
    /// groups of the regular expression of `user`, or `$1` is the text that follows its prefix. Nil: as it was, unless
    /// the target names one.
    public var rewriteUser: String?
    /// `rewrite.host`: the host of the new Request-URI, in the same way with `$host` and the groups of `host`. Nil: the target's. Where it is
    /// given, the target is the next hop only.
    public var rewriteHost: String?

    public init(
        name: String, user: DialPattern? = nil, host: DialPattern? = nil, sources: [IPNetwork] = [],
        permission: Permission = .allowed, targets: [DialTarget], forking: Forking = .sequence, ringTime: Int = 180,
        protection: MediaProtection = .relay, rewriteUser: String? = nil, rewriteHost: String? = nil
    ) {
        self.name = name
        self.user = user
        self.host = host
        self.sources = sources
        self.permission = permission
        self.targets = targets
        self.forking = forking
        self.ringTime = ringTime
        self.protection = protection
        self.rewriteUser = rewriteUser
        self.rewriteHost = rewriteHost
    }
}
