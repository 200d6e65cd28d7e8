// Kinds of a named key of a node.

import FoundationEssentials

/// Keys that both ends of a flow know, or a link key from which both derive them.
public enum KeyMaterial: Hashable, Sendable {
    /// One key, or several of one profile that are distinguished by MKIs of one length: all of them are received with,
    /// the first one is sent with.
    case srtp([SRTPKey])
    case link(LinkKey)

    /// The most keys of one name.
    public static let mostKeys = 8

    /// Reads lines of `PROFILE inline:BASE64…` (`SRTPKeyText`), or one of `LINK PROFILE inline:BASE64`. Empty lines and those that begin
    /// with `#` count for nothing.
    public init(text: String) throws(SRTPKeyError) {
        let lines = text.split(whereSeparator: \.isNewline).map { line in
            line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        }.filter { !$0.isEmpty && !$0[0].hasPrefix("#") }
        guard let first = lines.first else { throw .unknownProfile }
        guard first[0] == "LINK" else {
            var keys: [SRTPKey] = []
            for line in lines { keys.append(try SRTPKeyText.key(line.joined(separator: " "))) }
            try self.init(keys: keys)
            return
        }
        guard lines.count == 1 else { throw .syntax("single line, which a link key is") }
        guard first.count > 1, let profile = SRTPProfile(rawValue: first[1]) else { throw .unknownProfile }
        guard first.count == 3, first[2].hasPrefix("inline:"),
            let data = Data(base64Encoded: String(first[2].dropFirst("inline:".count)))
        else { throw .syntax("base64 behind 'inline:'") }
        self = .link(try LinkKey(profile, secret: Array(data)))
    }

    /// - Throws: unless the keys can be distinguished.
    public init(keys: [SRTPKey]) throws(SRTPKeyError) {
        let lengths = Set(keys.map(\.identifier.count))
        guard (1...Self.mostKeys).contains(keys.count), Set(keys.map(\.profile)).count == 1, lengths.count == 1,
            Set(keys.map(\.identifier)).count == keys.count
        else { throw .indistinct }
        self = .srtp(keys)
    }

    /// The text that reads as the key. Only for where a secret may stand.
    public var secretText: String {
        switch self {
        case .srtp(let keys): keys.map(SRTPKeyText.secretText).joined(separator: "\n")
        case .link(let key): "LINK \(key.profile.rawValue) inline:\(Data(key.secret).base64EncodedString())"
        }
    }

    public var profile: SRTPProfile {
        switch self {
        case .srtp(let keys): keys.first?.profile ?? .aesCM128HMACSHA1_80
        case .link(let key): key.profile
        }
    }

    /// True if it is for a link.
    public var isLink: Bool {
        if case .link = self { true } else { false }
    }
}
