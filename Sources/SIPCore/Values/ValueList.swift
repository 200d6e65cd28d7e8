// Values that stand in one field, separated by commas.

/// Splits and quotes values of header fields.
enum ValueList {
    /// The items between commas that are neither in quotes nor in angle brackets, without white space around them.
    static func items(of value: String) -> [String] {
        var items: [String] = []
        var item: [UInt8] = []
        var isQuoted = false
        var isBracketed = false
        var isEscaped = false
        for byte in value.utf8 {
            if isEscaped {
                isEscaped = false
            } else if isQuoted {
                if byte == UInt8(ascii: "\"") { isQuoted = false }
                if byte == UInt8(ascii: "\\") { isEscaped = true }
            } else if isBracketed {
                if byte == UInt8(ascii: ">") { isBracketed = false }
            } else if byte == UInt8(ascii: ",") {
                items.append(trimmed(item))
                item.removeAll()
                continue
            } else {
                if byte == UInt8(ascii: "\"") { isQuoted = true }
                if byte == UInt8(ascii: "<") { isBracketed = true }
            }
            item.append(byte)
        }
        items.append(trimmed(item))
        return items
    }

    static func trimmed(_ bytes: [UInt8]) -> String {
        let start = bytes.firstIndex { !ASCII.isSpace($0) } ?? bytes.endIndex
        let end = bytes.lastIndex { !ASCII.isSpace($0) }.map { $0 + 1 } ?? start
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// The content of a quoted string, or the text itself where it is not quoted.
    static func unquoted(_ text: String) -> String {
        guard text.utf8.first == UInt8(ascii: "\""), text.utf8.count >= 2 else { return text }
        var content: [UInt8] = []
        var isEscaped = false
        for byte in text.utf8.dropFirst().dropLast() {
            if byte == UInt8(ascii: "\\"), !isEscaped {
                isEscaped = true
            } else {
                content.append(byte)
                isEscaped = false
            }
        }
        return String(decoding: content, as: UTF8.self)
    }

    /// As a quoted string.
    static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            let needsEscape = byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || (byte < 0x20 && byte != 0x09)
            if needsEscape || byte == 0x7f { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
        return String(decoding: bytes, as: UTF8.self)
    }
}
