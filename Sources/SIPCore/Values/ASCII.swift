// The characters of the grammar (RFC 3261 section 25.1).

/// Classes and comparison of bytes. Text is read byte by byte: a Swift `Character` may hold a separator and a mark.
enum ASCII {
    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte | 0x20) }
    static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x66).contains(byte | 0x20) }

    /// `token`.
    static func isToken(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || tokenSigns.contains(byte) }

    /// The bytes of a parameter's value that is not quoted: `token`, `host`, and what devices write besides.
    static func isBareValue(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && !bareValueEnds.contains(byte)
    }

    /// `unreserved` and escapes.
    static func isUnreserved(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || marks.contains(byte) }

    private static let tokenSigns = ByteSet("-.!%*_+`'~")
    private static let bareValueEnds = ByteSet(";,<>\"\\")
    private static let marks = ByteSet("-_.!~*'()%")

    static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte | 0x20 : byte }

    /// Equality without regard to the case of ASCII letters.
    static func isSame(_ one: some StringProtocol, _ other: some StringProtocol) -> Bool {
        one.utf8.count == other.utf8.count && zip(one.utf8, other.utf8).allSatisfy { lower($0) == lower($1) }
    }

    /// A decimal number without a sign; nil for anything else and where it is too large.
    static func number<Number: FixedWidthInteger>(_ text: some StringProtocol) -> Number? {
        guard !text.isEmpty, text.utf8.allSatisfy(isDigit) else { return nil }
        return Number(text)
    }

    /// True if every `%` is followed by two hexadecimal digits.
    static func hasValidEscapes(_ text: some StringProtocol) -> Bool {
        var rest = text.utf8[...]
        while let percent = rest.firstIndex(of: UInt8(ascii: "%")) {
            rest = rest[percent...].dropFirst()
            guard rest.prefix(2).count == 2, rest.prefix(2).allSatisfy(isHex) else { return false }
        }
        return true
    }
}
