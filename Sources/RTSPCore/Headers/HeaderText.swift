// The small pieces of grammar that several header fields share.

/// Splitting and reading of header values. All of it is about ASCII; other bytes pass as they are.
enum HeaderText {
    /// The parts of `text` between `separator`s that do not stand in a quoted string, each without white space around it.
    static func split(_ text: Substring, at separator: UInt8) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var isQuoted = false
        var position = text.startIndex
        while position < text.endIndex {
            let byte = text.utf8[position]
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if byte == separator, !isQuoted {
                parts.append(trim(text[start..<position]))
                start = text.utf8.index(after: position)
            }
            position = text.utf8.index(after: position)
        }
        parts.append(trim(text[start...]))
        return parts
    }

    /// Without spaces, tabs and line ends around it.
    static func trim(_ text: Substring) -> Substring {
        var bytes = text.utf8
        func isSpace(_ byte: UInt8?) -> Bool { byte.map { $0 == 0x20 || (0x09...0x0d).contains($0) } ?? false }
        while isSpace(bytes.first) { bytes.removeFirst() }
        while isSpace(bytes.last) { bytes.removeLast() }
        return Substring(bytes)
    }

    /// `name=value` in two, both trimmed, the value without quotation marks; nil value without a `=`.
    static func parameter(_ text: Substring) -> (name: String, value: Substring?) {
        guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) else { return (lowercased(trim(text)), nil) }
        return (lowercased(trim(text[..<equals])), unquote(trim(text[text.utf8.index(after: equals)...])))
    }

    /// Without quotation marks around it, if it has them.
    static func unquote(_ text: Substring) -> Substring {
        let quote = UInt8(ascii: "\"")
        guard text.utf8.count >= 2, text.utf8.first == quote, text.utf8.last == quote else { return text }
        return trim(Substring(text.utf8.dropFirst().dropLast()))
    }

    /// With A to Z as small letters.
    static func lowercased(_ text: some StringProtocol) -> String {
        String(decoding: text.utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// With a to z as capital letters.
    static func uppercased(_ text: some StringProtocol) -> String {
        String(decoding: text.utf8.map { (0x61...0x7a).contains($0) ? $0 & 0xdf : $0 }, as: UTF8.self)
    }

    /// True if it is a token (RFC 2326 section 15.1), as names of methods are.
    static func isToken(_ text: Substring) -> Bool {
        let separators = Array("()<>@,;:\\\"/[]?={}".utf8)
        return !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && !separators.contains($0) }
    }

    /// An unsigned number of digits alone: no sign, no spaces.
    static func number<T: FixedWidthInteger & UnsignedInteger>(_ text: some StringProtocol, as: T.Type = T.self) -> T? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return T(text)
    }
}
