// Characters that act on terminals.

/// C0 but for the tab, DEL, and C1 (ISO 6429): no field of SIP has a use for them, and they would reach terminals and logs.
public enum ControlCharacters {
    /// The character in their place.
    static let replacement = UInt8(ascii: "?")

    /// A line of UTF-8 without them.
    static func removed(from line: some Collection<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(line.count)
        for byte in line {
            if result.last == 0xc2, (0x80...0x9f).contains(byte) {
                result[result.count - 1] = replacement
            } else {
                result.append(byte < 0x20 && byte != 0x09 || byte == 0x7f ? replacement : byte)
            }
        }
        return result
    }

    /// A line of text without them.
    public static func removed(from text: String) -> String {
        String(decoding: removed(from: text.utf8), as: UTF8.self)
    }
}
