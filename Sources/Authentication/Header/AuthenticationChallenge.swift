// Challenge of a server.

/// A challenge that is understood here.
public enum AuthenticationChallenge: Hashable, Sendable {
    /// `Basic` (RFC 7617).
    case basic(realm: String)
    /// `Digest` (RFC 7616).
    case digest(DigestChallenge)

    /// The challenges in the values of all `WWW-Authenticate` or `Proxy-Authenticate` headers of a response, in their order, without
    /// those of other schemes and algorithms.
    public static func parse(_ values: [String]) -> [AuthenticationChallenge] {
        values.prefix(AuthenticationHeader.maximumSchemes).flatMap(AuthenticationHeader.parse).compactMap { header in
            if header.scheme.lowercased() == "basic" { return .basic(realm: header["realm"] ?? "") }
            return DigestChallenge(header).map { .digest($0) }
        }
    }

    /// The header's value.
    public var headerValue: String {
        switch self {
        case .basic(let realm): "Basic realm=\(AuthenticationHeader.quoted(realm)), charset=\"UTF-8\""
        case .digest(let challenge): challenge.headerValue
        }
    }

    /// The strength of the challenge: more is stronger.
    var strength: Int {
        switch self {
        case .basic: 0
        case .digest(let challenge): challenge.algorithm == .sha256 ? 2 : 1
        }
    }
}
