// What nobody may read in a ladder or a log.

import SIPCore

/// Takes credentials and keys out of messages.
enum MessageSecrets {
    /// The message as text, with `…` instead of what is secret: the values of credentials, keys of SRTP, passwords in URIs.
    static func removed(from bytes: [UInt8]) -> String {
        var isHidden = false
        // Bytes, since CR LF is one character of a string.
        return bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map { raw in
            let end = raw.last == 0x0d ? "\r" : ""
            let line = visible(String(decoding: end.isEmpty ? raw : raw.dropLast(), as: UTF8.self))
            let isFolded = raw.first == 0x20 || raw.first == 0x09
            // A folded line belongs to the field before it.
            if isHidden, isFolded { return " …\(end)" }
            isHidden = false
            if let colon = line.firstIndex(of: ":"), fields.contains(name(of: line[..<colon])) {
                isHidden = true
                return "\(line[...colon]) …\(end)"
            }
            if let name = keys.first(where: { line.prefix($0.count).lowercased() == $0 }) {
                return "\(line.prefix(name.count))…\(end)"
            }
            return withoutPasswords(line[...]) + end
        }.joined(separator: "\n")
    }

    private static let fields: Set = ["authorization", "proxy-authorization", "authentication-info"]

    /// The name of a header field, which blanks may follow (RFC 3261 section 7.3.1).
    private static func name(of text: Substring) -> String {
        String(text.reversed().drop { $0 == " " || $0 == "\t" }.reversed()).lowercased()
    }

    /// The text without what a terminal would obey: control characters, those of ISO 8859 too, are shown as `\u{FFFD}`.
    static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { scalars.append(isControl(scalar) && scalar != "\t" ? "\u{FFFD}" : scalar) }
        return String(scalars)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .control }
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
