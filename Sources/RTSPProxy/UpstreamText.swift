// The URL of an upstream as operators write it, and its password, which they alone may see.

import RTPWire
public import Routing

/// Checks upstream URLs, and takes passwords out of them.
public enum UpstreamText {
    /// The text in the place of a password.
    public static let mask = "***"
    /// In bytes.
    static let maximumLength = 2048

    /// Throws unless `text` is `rtsp://` or `rtsps://`, `user:password@` or none, a host, a TCP port or none, and a path or none
    /// (RFC 2326 section 3.2, RFC 3986 section 3.2). The error does not say the password.
    public static func validate(_ text: String) throws(SpecificationError) {
        func refuse(_ problem: String, _ remedy: String) -> SpecificationError {
            SpecificationError(.setting("upstream"), masked(text), problem, remedy: remedy)
        }
        guard let authority = authority(of: text) else {
            throw refuse("is no RTSP URL", "write rtsp://HOST/PATH or rtsps://HOST/PATH")
        }
        guard text.utf8.count <= maximumLength, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw refuse(
                "has spaces, control or other characters that no URL has, or more than \(maximumLength) of them",
                "write them as %20 and the like")
        }
        guard !text.contains("#") else { throw refuse("has a fragment", "leave out what begins with '#'") }
        let (user, host) = split(authority)
        if let user {
            guard !user.isEmpty, !user.hasPrefix(":"), !user.contains("@") else {
                throw refuse("has no user before its '@', or more than one '@'", "write '@' in passwords as %40")
            }
            guard password(in: user).map(String.init) != mask else {
                throw refuse("has the mask instead of its password", "write the password itself")
            }
        }
        guard isHost(host) else {
            throw refuse(
                "names no host that can be", "write a name, an address, or an IPv6 address in brackets; then :TCPPORT")
        }
    }

    /// `text`, be it a URL of RTSP or a wrong one, with `***` in place of its password; without a password as it is.
    public static func masked(_ text: String) -> String {
        let scheme = text.prefix { $0 != ":" }
        let start =
            text[scheme.endIndex...].hasPrefix("://") ? text.index(scheme.endIndex, offsetBy: 3) : text.startIndex
        let end = text[start...].firstIndex { "/?#".contains($0) } ?? text.endIndex
        // A password that has a '/' itself, which is wrong, must not be shown in the error about it either.
        var at = text[start..<end].lastIndex(of: "@")
        if at == nil, !isHost(text[start..<end]) { at = text[start...].lastIndex(of: "@") }
        guard let at, let colon = text[start..<at].firstIndex(of: ":"), text.index(after: colon) < at else {
            return text
        }
        return text[...colon] + mask + text[at...]
    }

    /// The user that `text` names, as it is written there; nil if none.
    public static func user(of text: String) -> String? {
        authority(of: text).flatMap { split($0).user }.map { String($0.prefix { $0 != ":" }) }
    }

    /// The password that `text` carries, as it is written there; nil without a colon behind the user.
    public static func password(of text: String) -> String? {
        authority(of: text).flatMap { split($0).user }.flatMap(password(in:)).map(String.init)
    }

    /// `text`, which names a user, with `password`, percent-encoded (RFC 3986 section 2.1), behind it.
    public static func adding(password: String, to text: String) -> String {
        guard let start = authorityStart(of: text), let user = user(of: text) else { return text }
        let encoded = password.utf8.map { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: return String(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                return "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        let end = text[start...].firstIndex { "/?#".contains($0) } ?? text.endIndex
        guard let at = text[start..<end].lastIndex(of: "@") else { return text }
        return text[..<start] + user + ":" + encoded.joined() + text[at...]
    }

    private static func authorityStart(of text: String) -> String.Index? {
        for scheme in ["rtsp://", "rtsps://"] where text.lowercased().hasPrefix(scheme) {
            return text.index(text.startIndex, offsetBy: scheme.count)
        }
        return nil
    }

    private static func authority(of text: String) -> Substring? {
        authorityStart(of: text).map { start in text[start...].prefix { !"/?#".contains($0) } }
    }

    private static func split(_ authority: Substring) -> (user: Substring?, host: Substring) {
        guard let at = authority.lastIndex(of: "@") else { return (nil, authority) }
        return (authority[..<at], authority[authority.index(after: at)...])
    }

    private static func password(in user: Substring) -> Substring? {
        user.firstIndex(of: ":").map { user[user.index(after: $0)...] }
    }

    /// A name, an IPv4 address or an IPv6 address in brackets, and behind a colon a TCP port. `$` denotes a group of a regular
    /// expression.
    private static func isHost(_ text: Substring) -> Bool {
        var name = text
        if text.hasPrefix("[") {
            guard let bracket = text.firstIndex(of: "]") else { return false }
            guard IPAddress(text[text.index(after: text.startIndex)..<bracket])?.family == .ipv6 else { return false }
            name = text[text.index(after: bracket)...]
            if name.isEmpty { return true }
            guard name.hasPrefix(":") else { return false }
        } else {
            name = text.prefix { $0 != ":" }
            let known = name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x24, 0x2d, 0x2e, 0x5f: true
                default: false
                }
            }
            guard !name.isEmpty, name.utf8.count <= 253, known else { return false }
            name = text.dropFirst(name.count)
            if name.isEmpty { return true }
        }
        guard let port = UInt16(name.dropFirst()) else { return false }
        return port != 0
    }
}
