// A place in a header that moves forward.

/// Reads bytes in their order.
struct Cursor {
    private let bytes: [UInt8]
    private var place = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { place == bytes.count }

    mutating func skipOne() { place = min(place + 1, bytes.count) }

    mutating func skip(where condition: (UInt8) -> Bool) {
        while place < bytes.count, condition(bytes[place]) { place += 1 }
    }

    /// Skips one `byte` if it is next, and says whether it was.
    mutating func skip(_ byte: UInt8) -> Bool {
        guard place < bytes.count, bytes[place] == byte else { return false }
        place += 1
        return true
    }

    private mutating func text(while condition: (UInt8) -> Bool) -> String {
        let start = place
        skip(where: condition)
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    /// A name: up to a space, a comma, an equals sign or a quote.
    mutating func word() -> String { text { !$0.isSpace && ![0x22, 0x2c, 0x3d].contains($0) } }

    /// Base64 (RFC 9110 section 11.2), which may contain equals signs.
    mutating func token() -> String { text { !$0.isSpace && $0 != UInt8(ascii: ",") } }

    /// True if a parameter is next: a name, and an equals sign that is not the padding of base64.
    func isParameter() -> Bool {
        var ahead = self
        guard !ahead.word().isEmpty else { return false }
        ahead.skip(where: \.isSpace)
        guard ahead.skip(UInt8(ascii: "=")) else { return false }
        ahead.skip { $0 == UInt8(ascii: "=") || $0.isSpace }
        return !ahead.isAtEnd && ahead.bytes[ahead.place] != UInt8(ascii: ",")
    }

    /// The value of a parameter: a quoted string without its quotes and escapes, or the text up to the next comma or space.
    mutating func value() -> String {
        guard skip(UInt8(ascii: "\"")) else { return text { !$0.isSpace && $0 != UInt8(ascii: ",") } }
        var value: [UInt8] = []
        while !isAtEnd {
            let byte = bytes[place]
            place += 1
            if byte == UInt8(ascii: "\\"), !isAtEnd {
                value.append(bytes[place])
                place += 1
            } else if byte == UInt8(ascii: "\""), isEndOfValue {
                break
            } else {
                value.append(byte)
            }
        }
        return String(decoding: value, as: UTF8.self)
    }

    /// True if the next text can only follow a value. Devices put quotes into a realm without escaping them.
    private var isEndOfValue: Bool {
        var ahead = self
        ahead.skip(where: \.isSpace)
        return ahead.isAtEnd || ahead.bytes[ahead.place] == UInt8(ascii: ",") || ahead.isParameter()
    }
}

extension UInt8 {
    /// A space or a tab.
    var isSpace: Bool { self == 0x20 || self == 0x09 }
}
