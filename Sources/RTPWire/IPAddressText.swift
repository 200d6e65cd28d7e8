// The text forms of an IP address: RFC 4291 section 2.2 for reading, RFC 5952 for writing.

extension IPAddress: LosslessStringConvertible {
    /// Reads `10.1.0.7` or `2001:db8::1`, the latter without brackets and without a zone. Nil for anything else;
    /// octets with leading zeros are refused, since some programs read them as octal.
    public init?(_ text: some StringProtocol) {
        if text.contains(":") {
            guard let groups = Self.groups(of: text) else { return nil }
            self.init(bytes: groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] })
        } else {
            guard let octets = Self.octets(of: text) else { return nil }
            self.init(bytes: octets)
        }
    }

    public init?(_ description: String) { self.init(description[...]) }

    private static func octets(of text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var octets: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part == "0" || part.first != "0", let octet = UInt8(part)
            else { return nil }
            octets.append(octet)
        }
        return octets
    }

    private static func groups(of text: some StringProtocol) -> [UInt16]? {
        func list(_ part: some StringProtocol, isLast: Bool) -> [UInt16]? {
            if part.isEmpty { return [] }
            var groups: [UInt16] = []
            let fields = part.split(separator: ":", omittingEmptySubsequences: false)
            for (index, field) in fields.enumerated() {
                if isLast, index == fields.count - 1, field.contains(".") {
                    guard let octets = octets(of: field) else { return nil }
                    groups.append(UInt16(octets[0]) << 8 | UInt16(octets[1]))
                    groups.append(UInt16(octets[2]) << 8 | UInt16(octets[3]))
                } else {
                    guard (1...4).contains(field.utf8.count), field.allSatisfy(\.isHexDigit),
                        let group = UInt16(field, radix: 16)
                    else { return nil }
                    groups.append(group)
                }
            }
            return groups
        }
        guard let gap = text.utf8Range(of: "::") else {
            guard let all = list(text, isLast: true), all.count == 8 else { return nil }
            return all
        }
        guard let head = list(text[..<gap.lowerBound], isLast: false),
            let tail = list(text[gap.upperBound...], isLast: true), head.count + tail.count <= 7
        else { return nil }
        return head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
    }

    /// `10.1.0.7` or, as RFC 5952 asks, `2001:db8::1`.
    public var description: String {
        let bytes = bytes
        if family == .ipv4 { return bytes.map(String.init).joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        var longest = 0..<0
        var start = 0
        while start < 8 {
            let end = groups[start...].firstIndex { $0 != 0 } ?? 8
            if end - start > max(longest.count, 1) { longest = start..<end }
            start = max(end, start + 1)
        }
        func text(_ part: some Sequence<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        if longest.isEmpty { return text(groups) }
        return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
    }

    /// The address as it is written before a colon and a UDP port: IPv6 in brackets.
    public var bracketed: String { family == .ipv4 ? description : "[\(description)]" }
}

extension StringProtocol {
    /// The range at which `needle` first occurs; the standard library has this for `String` only with Foundation.
    fileprivate func utf8Range(of needle: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}

extension IPAddress: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let address = IPAddress(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not an IP address")
        }
        self = address
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
