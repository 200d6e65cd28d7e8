// Keys in RTSP requests and replies.

/// The KeyMgmt header (RFC 4567 section 4.3, RFC 7826 section 18.28): `prot=mikey; uri="rtsps://…"; data="…"`.
public struct KeyManagementHeader: Hashable, Sendable {
    /// The most specifications of one header that are read.
    static let maximumSpecifications = 16

    /// The stream, or session, that the message is for; nil where it is not said: that of the request.
    public var uri: String?
    public var message: MIKEYMessage

    public init(uri: String?, message: MIKEYMessage) {
        self.uri = uri
        self.message = message
    }

    /// Reads the specifications of a header's value that are of MIKEY. Throws where there is none, and for one that is
    /// no message.
    public static func parse(_ value: String) throws(KeyManagementError) -> [KeyManagementHeader] {
        var result: [KeyManagementHeader] = []
        for specification in split(value.utf8[...], at: UInt8(ascii: ",")).prefix(maximumSpecifications) {
            var fields: [String: String] = [:]
            for field in split(specification, at: UInt8(ascii: ";")) {
                guard let equals = field.firstIndex(of: UInt8(ascii: "=")) else { continue }
                let name = String(decoding: trimmed(field[..<equals]), as: UTF8.self).lowercased()
                let value = unquoted(trimmed(field[field.index(after: equals)...]))
                if fields[name] == nil { fields[name] = String(decoding: value, as: UTF8.self) }
            }
            guard fields["prot"]?.lowercased() == "mikey" else { continue }
            guard let data = fields["data"] else {
                throw KeyManagementError(.malformed, "KeyMgmt: there is no data")
            }
            result.append(KeyManagementHeader(uri: fields["uri"], message: try MIKEYMessage(base64: data)))
        }
        guard !result.isEmpty else {
            throw KeyManagementError(.unsupported, "KeyMgmt: there is nothing of the protocol mikey")
        }
        return result
    }

    /// The header's value. It holds the keys: never log it.
    public var value: String {
        let quoted = uri.map { "uri=\"\($0.replacing("\"", with: "%22"))\";" } ?? ""
        return "prot=mikey;\(quoted)data=\"\(message.base64)\""
    }

    private typealias Bytes = Substring.UTF8View

    /// The parts between separators that do not stand in quotation marks.
    private static func split(_ text: Bytes, at separator: UInt8) -> [Bytes] {
        var parts: [Bytes] = []
        var start = text.startIndex
        var isQuoted = false
        for index in text.indices {
            if text[index] == UInt8(ascii: "\"") { isQuoted.toggle() }
            if text[index] == separator, !isQuoted {
                parts.append(text[start..<index])
                start = text.index(after: index)
            }
        }
        return parts + [text[start...]]
    }

    private static func trimmed(_ text: Bytes) -> Bytes {
        var text = text
        while let first = text.first, first == 0x20 || first == 0x09 { text.removeFirst() }
        while let last = text.last, last == 0x20 || last == 0x09 { text.removeLast() }
        return text
    }

    private static func unquoted(_ text: Bytes) -> Bytes {
        let quote = UInt8(ascii: "\"")
        guard text.count >= 2, text.first == quote, text.last == quote else { return text }
        return text.dropFirst().dropLast()
    }
}
