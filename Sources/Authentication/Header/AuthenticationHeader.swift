// The grammar of authentication headers: schemes and their parameters, as RFC 9110 section 11 has it and as devices write it.

/// One challenge, or one set of credentials: `Digest realm="a", nonce="b"`.
struct AuthenticationHeader: Hashable, Sendable {
    /// The scheme, as it is written.
    var scheme: String
    /// The text that follows the scheme in place of parameters, for Basic credentials; empty otherwise.
    var token = ""
    /// The parameters, quotes removed; of equal names the first one counts.
    var parameters: [(name: String, value: String)] = []

    /// The most bytes of one header that are read, and the most schemes and parameters.
    static let maximumBytes = 16_384
    static let maximumSchemes = 16
    static let maximumParameters = 64

    /// The first parameter of a name, in upper or lower case.
    subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

    static func == (a: AuthenticationHeader, b: AuthenticationHeader) -> Bool {
        a.scheme == b.scheme && a.token == b.token && a.parameters.elementsEqual(b.parameters, by: ==)
    }

    func hash(into hasher: inout Hasher) { hasher.combine(scheme) }

    /// All that one header line says: several challenges may stand in it, separated by commas like their parameters. What is beyond
    /// the limits is left out.
    static func parse(_ text: String) -> [AuthenticationHeader] {
        var cursor = Cursor(bytes: Array(text.utf8.prefix(maximumBytes)))
        var result: [AuthenticationHeader] = []
        while true {
            cursor.skip { $0.isSpace || $0 == UInt8(ascii: ",") }
            guard !cursor.isAtEnd else { return result }
            let word = cursor.word()
            guard !word.isEmpty else {
                // No token begins with this byte, a stray quote for instance.
                cursor.skipOne()
                continue
            }
            cursor.skip(where: \.isSpace)
            if cursor.skip(UInt8(ascii: "=")), !result.isEmpty {
                cursor.skip(where: \.isSpace)
                let value = cursor.value()
                if result[result.count - 1].parameters.count < maximumParameters {
                    result[result.count - 1].parameters.append((word.lowercased(), value))
                }
                continue
            }
            guard result.count < maximumSchemes else { return result }
            result.append(AuthenticationHeader(scheme: word))
            if word.lowercased() == "basic", !cursor.isParameter() { result[result.count - 1].token = cursor.token() }
        }
    }

    /// `value` as a quoted string (RFC 9110 section 5.6.4), without control characters, which could end the header.
    static func quoted(_ value: String) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        for byte in value.utf8 where byte >= 0x20 && byte != 0x7f {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
        return String(decoding: bytes + [UInt8(ascii: "\"")], as: UTF8.self)
    }
}
