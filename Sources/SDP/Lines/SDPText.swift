// Cutting text at spaces. By bytes: a combining mark behind a space would make another character of it.

extension StringProtocol {
    /// The parts between spaces and tabs, none of them empty.
    var fields: [String] { split(atAny: [0x20, 0x09]) }

    /// The parts between the given ASCII characters, none of them empty.
    func split(atAny separators: [UInt8]) -> [String] {
        utf8.split { separators.contains($0) }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The text without spaces and tabs at its ends.
    var trimmed: String {
        var bytes = Array(utf8)[...]
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return String(decoding: bytes.drop { $0 == 0x20 || $0 == 0x09 }, as: UTF8.self)
    }

    /// True if both are the same but for upper and lower case.
    func equalsIgnoringCase(_ other: some StringProtocol) -> Bool { lowercased() == other.lowercased() }
}
