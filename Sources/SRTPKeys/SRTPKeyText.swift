// A key as text: `AES_CM_128_HMAC_SHA1_80 inline:BASE64|2^48|1:4 ROC=2 SSRC=0x1234`.

import FoundationEssentials

/// Reads and writes keys with the words of SDP security descriptions (RFC 4568 sections 6.1 and 9.1), without the tag.
///
/// `ROC=` and `SSRC=` give a late joiner's position, which security descriptions cannot. The text is a secret.
public enum SRTPKeyText {
    /// The key that the text, one line, says.
    public static func key(_ text: String) throws(SRTPKeyError) -> SRTPKey {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "\t" || $0.isNewline }).map(String.init)
        guard let first = words.first, let profile = SRTPProfile(rawValue: first) else { throw .unknownProfile }
        guard words.count > 1, words[1].hasPrefix("inline:") else { throw .syntax("'inline:'") }
        let fields = words[1].dropFirst("inline:".count).split(separator: "|", omittingEmptySubsequences: false)
        guard let encoded = fields.first, let data = Data(base64Encoded: String(encoded)) else {
            throw .syntax("base64 behind 'inline:'")
        }
        guard data.count == profile.masterKeyLength + profile.masterSaltLength else {
            throw .textLength(profile, data.count)
        }
        var lifetime: UInt64?
        var identifier: [UInt8] = []
        for (index, field) in fields.dropFirst().enumerated() {
            if field.contains(":") {
                guard index == fields.count - 2 else { throw .syntax("MKI as the last field") }
                identifier = try self.identifier(field)
            } else {
                guard index == 0 else { throw .syntax("MKI:LENGTH as the last field") }
                lifetime = try self.lifetime(field)
            }
        }
        var counter: UInt32 = 0
        var ssrc: UInt32?
        for word in words.dropFirst(2) {
            if let value = word.dropping(prefix: "ROC=") {
                guard let number = UInt32(value) else { throw .syntax("number behind 'ROC='") }
                counter = number
            } else if let value = word.dropping(prefix: "SSRC=") {
                let isHexadecimal = value.hasPrefix("0x")
                let number = isHexadecimal ? UInt32(value.dropFirst(2), radix: 16) : UInt32(value)
                guard let number else { throw .syntax("number behind 'SSRC='") }
                ssrc = number
            } else {
                throw .syntax("known word behind the key (ROC=, SSRC=)")
            }
        }
        return try SRTPKey(
            profile, masterKey: Array(data.prefix(profile.masterKeyLength)),
            masterSalt: Array(data.suffix(profile.masterSaltLength)), identifier: identifier, ssrc: ssrc,
            rolloverCounter: counter, lifetime: lifetime)
    }

    /// A number and how many bytes it has on the wire: `1:4`, or `0x0a:1`.
    private static func identifier(_ field: Substring) throws(SRTPKeyError) -> [UInt8] {
        let parts = field.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let length = Int(parts[1]), length > 0 else { throw .syntax("MKI:LENGTH") }
        guard length <= SRTPKey.longestIdentifier else { throw .identifierLength(length) }
        let value =
            parts[0].hasPrefix("0x") ? UInt128(parts[0].dropFirst(2), radix: 16) : UInt128(parts[0])
        guard let value, length == 16 || value >> UInt128(8 * length) == 0 else {
            throw .syntax("MKI that fits its length")
        }
        return (0..<length).map { UInt8(truncatingIfNeeded: value >> UInt128(8 * (length - 1 - $0))) }
    }

    /// `2^20` or `1048576`.
    private static func lifetime(_ field: Substring) throws(SRTPKeyError) -> UInt64 {
        if let power = String(field).dropping(prefix: "2^") {
            guard let exponent = UInt64(power), exponent <= 48 else { throw .syntax("lifetime of at most 2^48") }
            return 1 << exponent
        }
        guard let number = UInt64(field) else { throw .syntax("number as lifetime") }
        guard (1...SRTPKey.longestLifetime).contains(number) else { throw .lifetime(number) }
        return number
    }

    /// The text that reads as the key. Only for where a secret may stand.
    public static func secretText(_ key: SRTPKey) -> String {
        var text = "\(key.profile.rawValue) inline:\(Data(key.masterKey + key.masterSalt).base64EncodedString())"
        if let lifetime = key.lifetime { text += "|\(lifetime)" }
        if !key.identifier.isEmpty {
            let value = key.identifier.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
            text += "|\(value):\(key.identifier.count)"
        }
        if key.rolloverCounter != 0 { text += " ROC=\(key.rolloverCounter)" }
        if let ssrc = key.ssrc { text += " SSRC=\(ssrc)" }
        return text
    }
}

extension String {
    fileprivate func dropping(prefix: String) -> Substring? {
        hasPrefix(prefix) ? self.dropFirst(prefix.count) : nil
    }
}
