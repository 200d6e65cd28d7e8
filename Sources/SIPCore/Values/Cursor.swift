// A place in a value that is being read.

/// Reads a header value from left to right. Folding has been undone before, so white space is SP and HTAB.
struct Cursor {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { position == bytes.count }
    var next: UInt8? { position < bytes.count ? bytes[position] : nil }
    /// The rest, as text.
    var rest: String { String(decoding: bytes[position...], as: UTF8.self) }

    mutating func skipSpace() {
        while position < bytes.count, ASCII.isSpace(bytes[position]) { position += 1 }
    }

    /// Takes a separator with the white space on both sides of it.
    mutating func take(_ separator: Unicode.Scalar) -> Bool {
        let start = position
        skipSpace()
        guard next == UInt8(ascii: separator) else {
            position = start
            return false
        }
        position += 1
        skipSpace()
        return true
    }

    mutating func take(while accepts: (UInt8) -> Bool) -> String {
        let start = position
        while position < bytes.count, accepts(bytes[position]) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    mutating func takeToken(_ what: String) throws(SIPSyntaxError) -> String {
        let token = take(while: ASCII.isToken)
        if token.isEmpty { throw SIPSyntaxError("\(what) is missing") }
        return token
    }

    /// Takes a quoted string, quotes and escapes included.
    mutating func takeQuoted() throws(SIPSyntaxError) -> String {
        let start = position
        position += 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: bytes[start..<position], as: UTF8.self)
            case UInt8(ascii: "\\"): position += 2
            default: position += 1
            }
        }
        position = bytes.count
        throw SIPSyntaxError("a quoted string has no end")
    }

    /// Takes the text between angle brackets, without them.
    mutating func takeBracketed() throws(SIPSyntaxError) -> String {
        position += 1
        let text = take(while: { $0 != UInt8(ascii: ">") })
        guard next != nil else { throw SIPSyntaxError("an angle bracket has no end") }
        position += 1
        return text
    }

    /// True if the rest, read as a display name, ends in an angle bracket before any separator.
    var bracketFollows: Bool {
        for byte in bytes[position...] {
            if byte == UInt8(ascii: "<") { return true }
            if !ASCII.isToken(byte), !ASCII.isSpace(byte) { return false }
        }
        return false
    }
}
