// Tags, branches and Call-IDs that nobody can guess.

/// Random text for identifiers of messages (RFC 3261 section 19.3).
enum SIPIdentifiers {
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// `length` characters of five random bits each.
    static func text(_ length: Int, using generator: inout some RandomNumberGenerator) -> String {
        var bits: UInt64 = 0
        var count = 0
        return String(unsafeUninitializedCapacity: length) { buffer in
            for index in 0..<length {
                if count < 5 {
                    bits = generator.next()
                    count = 64
                }
                buffer[index] = alphabet[Int(bits & 31)]
                bits >>= 5
                count -= 5
            }
            return length
        }
    }

    /// 80 bits.
    static func tag(using generator: inout some RandomNumberGenerator) -> String { text(16, using: &generator) }
    /// The text that makes a branch unique, 100 bits.
    static func unique(using generator: inout some RandomNumberGenerator) -> String { text(20, using: &generator) }
    /// 120 bits.
    static func callID(using generator: inout some RandomNumberGenerator) -> String { text(24, using: &generator) }
}
