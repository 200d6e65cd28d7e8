// Answer of a client.

import FoundationEssentials

/// Credentials that are understood here.
public enum AuthenticationCredentials: Hashable, Sendable {
    /// `Basic` (RFC 7617).
    case basic(user: String, password: String)
    /// `Digest` (RFC 7616).
    case digest(DigestCredentials)

    /// The credentials in the values of the `Authorization` or `Proxy-Authorization` headers of a request, without those of other
    /// schemes and algorithms, and those that lack something.
    public static func parse(_ values: [String]) -> [AuthenticationCredentials] {
        values.prefix(AuthenticationHeader.maximumSchemes).flatMap(AuthenticationHeader.parse).compactMap { header in
            if header.scheme.lowercased() == "basic" { return basic(header.token) }
            return DigestCredentials(header).map { .digest($0) }
        }
    }

    private static func basic(_ token: String) -> AuthenticationCredentials? {
        guard let bytes = Data(base64Encoded: token), let text = String(validating: bytes, as: UTF8.self),
            let colon = text.utf8.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return .basic(
            user: String(text[..<colon]),
            password: String(text[text.utf8.index(after: colon)...]))
    }

    /// The header's value.
    public var headerValue: String {
        switch self {
        case .basic(let user, let password): "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
        case .digest(let credentials): credentials.headerValue
        }
    }
}
