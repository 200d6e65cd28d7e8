// What a named key of a node can be.

import FoundationEssentials

/// A key of which both ends of a flow know, or a link key from which both derive them.
public enum KeyMaterial: Hashable, Sendable {
    case srtp(SRTPKey)
    case link(LinkKey)

    /// Reads `PROFILE inline:BASE64…` (`SRTPKeyText`) or `LINK PROFILE inline:BASE64`. White space around it counts for nothing.
    public init(text: String) throws(SRTPKeyError) {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "\t" || $0.isNewline }).map(String.init)
        guard words.first == "LINK" else {
            self = .srtp(try SRTPKeyText.key(text))
            return
        }
        guard words.count > 1, let profile = SRTPProfile(rawValue: words[1]) else { throw .unknownProfile }
        guard words.count == 3, words[2].hasPrefix("inline:"),
            let data = Data(base64Encoded: String(words[2].dropFirst("inline:".count)))
        else { throw .syntax("base64 behind 'inline:'") }
        self = .link(try LinkKey(profile, secret: Array(data)))
    }

    /// The text that reads as the key. Only for where a secret may stand.
    public var secretText: String {
        switch self {
        case .srtp(let key): SRTPKeyText.secretText(key)
        case .link(let key):
            "LINK \(key.profile.rawValue) inline:\(Data(key.secret).base64EncodedString())"
        }
    }

    public var profile: SRTPProfile {
        switch self {
        case .srtp(let key): key.profile
        case .link(let key): key.profile
        }
    }
}
