// One line of a session description, kept as it came.

/// One line, `x=value`, without its end.
public struct SDPLine: Hashable, Sendable {
    /// The whole line, byte for byte: never CR, LF or NUL.
    public let bytes: [UInt8]

    /// The line that `bytes` are; nil unless they begin with a letter and an equals sign.
    init?(parsing bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        guard bytes.count >= 2, bytes[1] == UInt8(ascii: "="), UInt8(ascii: "a")...UInt8(ascii: "z") ~= bytes[0] | 0x20
        else { return nil }
        self.bytes = bytes
    }

    /// The line of the letter `type` with `value`, from which CR, LF and NUL are left out, so that one line stays one.
    public init(_ type: Unicode.Scalar, _ value: String) {
        precondition(type.isASCII && type.properties.isAlphabetic, "an SDP line's type is an ASCII letter")
        bytes = [UInt8(ascii: type), UInt8(ascii: "=")] + value.utf8.filter { ![0, 0x0a, 0x0d].contains($0) }
    }

    /// The attribute line `a=name:value`, or `a=name` without a value.
    public init(attribute name: String, _ value: String? = nil) {
        self.init("a", value.map { "\(name):\($0)" } ?? name)
    }

    /// The letter.
    public var type: Unicode.Scalar { Unicode.Scalar(bytes[0]) }

    /// The text that follows the equals sign, as it is written. Bytes that are not UTF-8 read as U+FFFD; the line keeps them.
    public var value: String { String(decoding: bytes[2...], as: UTF8.self) }

    /// The parts of the value between spaces and tabs.
    var fields: [String] { value.fields }

    /// The name of an attribute, and its value without the spaces around it (empty for a flag); nil for another line.
    public var attribute: (name: String, value: String)? {
        guard type == "a" else { return nil }
        let value = value
        guard let colon = value.utf8.firstIndex(of: UInt8(ascii: ":")) else { return (value.trimmed, "") }
        return (value[..<colon].trimmed, value[value.utf8.index(after: colon)...].trimmed)
    }

    /// True if this is an attribute of that name, in upper or lower case.
    func isAttribute(_ name: String) -> Bool { attribute.map { $0.name.equalsIgnoringCase(name) } ?? false }
}
