// Role of the party that asks for credentials: the destination, or a proxy on the way.

/// The two independent ways of authentication (RFC 3261 section 22).
public enum SIPAuthenticationRole: Hashable, Sendable, CaseIterable {
    /// A user agent or registrar: 401, WWW-Authenticate, Authorization.
    case userAgent
    /// A proxy: 407, Proxy-Authenticate, Proxy-Authorization.
    case proxy

    var status: SIPStatus { self == .userAgent ? .unauthorized : .proxyAuthenticationRequired }
    var challengeName: String { self == .userAgent ? "WWW-Authenticate" : "Proxy-Authenticate" }
    var credentialsName: String { self == .userAgent ? "Authorization" : "Proxy-Authorization" }
}
