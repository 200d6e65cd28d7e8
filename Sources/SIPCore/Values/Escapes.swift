// Escaped characters in URIs.

/// `%HH` of RFC 3986.
enum Escapes {
    /// Every escape replaced by the byte that it denotes, once and never again.
    static func undone(_ text: String) -> String { String(decoding: bytes(of: text) { _ in true }, as: UTF8.self) }

    /// A form in which two parts of a URI are equal exactly when RFC 3261 section 19.1.4 says that they are: escapes of
    /// characters that are not reserved are undone, the rest are written with capitals.
    static func normalised(_ text: String) -> String {
        String(decoding: bytes(of: text) { !reserved.contains($0) }, as: UTF8.self)
    }

    /// The text with every byte escaped that is neither unreserved nor one of `signs`.
    static func escaped(_ text: String, except signs: ByteSet) -> String {
        var output: [UInt8] = []
        for byte in text.utf8 {
            if byte != UInt8(ascii: "%"), ASCII.isUnreserved(byte) || signs.contains(byte) {
                output.append(byte)
            } else {
                output.append(UInt8(ascii: "%"))
                output += [byte >> 4, byte & 15].map { $0 < 10 ? $0 + 0x30 : $0 + 0x37 }
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static let reserved = ByteSet(";/?:@&=+$,%")

    private static func bytes(of text: String, undo: (UInt8) -> Bool) -> [UInt8] {
        let input = Array(text.utf8)
        var output: [UInt8] = []
        var index = 0
        while index < input.count {
            guard input[index] == UInt8(ascii: "%"), index + 2 < input.count, let high = digit(input[index + 1]),
                let low = digit(input[index + 2])
            else {
                output.append(input[index])
                index += 1
                continue
            }
            if undo(high << 4 | low) {
                output.append(high << 4 | low)
            } else {
                output += [UInt8(ascii: "%"), upper(input[index + 1]), upper(input[index + 2])]
            }
            index += 3
        }
        return output
    }

    private static func upper(_ byte: UInt8) -> UInt8 { (0x61...0x7a).contains(byte) ? byte & ~0x20 : byte }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46, 0x61...0x66: (byte | 0x20) - 0x57
        default: nil
        }
    }
}
