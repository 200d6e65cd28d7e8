// Secrets that nobody may read in a ladder or a log.

import SIPCore

/// Takes credentials and keys out of messages.
enum MessageSecrets {
    /// The message as text, without control characters, and with `…` instead of what is secret: the values of credentials, keys of SRTP, passwords in URIs.
    static func removed(from bytes: [UInt8]) -> String {
        var isHidden = false
        // Bytes, since CR LF is one character of a string.
        return bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map { raw in
            let end = raw.last == 0x0d ? "\r" : ""
            let line = ControlCharacters.removed(
                from: String(decoding: end.isEmpty ? raw : raw.dropLast(), as: UTF8.self))
            let isFolded = raw.first == 0x20 || raw.first == 0x09
            // A folded line belongs to the field before it.
            if isHidden, isFolded { return " …\(end)" }
            isHidden = false
            if let colon = line.firstIndex(of: ":"), fields.contains(name(line[..<colon])) {
                isHidden = true
                return "\(line[...colon]) …\(end)"
            }
            if let name = keys.first(where: { line.prefix($0.count).lowercased() == $0 }) {
                return "\(line.prefix(name.count))…\(end)"
            }
            return withoutPasswords(line[...]) + end
        }.joined(separator: "\n")
    }

    /// The name of a field, which blanks may follow (RFC 3261 section 7.3.1).
    private static func name(_ text: Substring) -> String {
        String(text.prefix { $0 != " " && $0 != "\t" }).lowercased()
    }

    private static let fields: Set<String> = [
        "authorization", "proxy-authorization", "authentication-info", "proxy-authentication-info",
    ]
    private static let keys = ["a=crypto:", "a=key-mgmt:", "k="]

    /// `sip:user:password@host` without the password.
    private static func withoutPasswords(_ line: Substring) -> String {
        guard line.contains("@"), line.contains("sip:") || line.contains("sips:") else { return String(line) }
        var result = ""
        var rest = line
        while let scheme = rest.firstRange(of: "sip:") ?? rest.firstRange(of: "sips:") {
            result += rest[..<scheme.upperBound]
            rest = rest[scheme.upperBound...]
            let user = rest.prefix { !" <>\"".contains($0) }
            guard let at = user.firstIndex(of: "@"), let colon = user[..<at].firstIndex(of: ":") else { continue }
            result += user[..<colon] + ":…"
            rest = rest[at...]
        }
        return result + rest
    }
}
