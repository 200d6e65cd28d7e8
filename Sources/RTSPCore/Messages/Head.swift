// A start line and the header fields below it, while they come in.

/// The part of a message before its body.
struct Head: Sendable {
    private enum Start: Sendable {
        case request(RTSPMethod, uri: String, RTSPVersion)
        case response(RTSPStatus)
    }

    private let start: Start
    private var fields: [RTSPHeaders.Field] = []

    private static let space = UInt8(ascii: " ")

    /// Reads a request line or a status line (RFC 2326 sections 6.1 and 7.1).
    init(startLine line: ArraySlice<UInt8>) throws(RTSPDecodingError) {
        let line = Self.trimmed(line)
        if line.starts(with: "RTSP/".utf8) {
            let parts = line.split(separator: Self.space, maxSplits: 2)
            guard parts.count >= 2, Self.version(parts[0]) != nil, parts[1].count == 3,
                let code = Self.number(parts[1], upTo: 999), code >= 100
            else { throw RTSPDecodingError(.badRequest, "the status line is malformed") }
            start = .response(RTSPStatus(UInt16(code), parts.count == 3 ? Self.text(parts[2]) : ""))
            return
        }
        guard let first = line.firstIndex(of: Self.space), let last = line.lastIndex(of: Self.space), first < last
        else {
            throw RTSPDecodingError(.badRequest, "the request line is malformed")
        }
        let (method, uri, version) = (line[..<first], Self.trimmed(line[first..<last]), line[(last + 1)...])
        if version.starts(with: "HTTP/".utf8) {
            throw RTSPDecodingError(.badRequest, "the peer speaks HTTP", isHTTP: true)
        }
        guard let version = Self.version(version), !uri.isEmpty, method.allSatisfy(Self.isToken) else {
            throw RTSPDecodingError(.badRequest, "the request line is malformed")
        }
        start = .request(RTSPMethod(Self.text(method)), uri: Self.text(uri), version)
    }

    /// Adds a line of the header: a field, or what continues the last one (RFC 2326 section 4, RFC 822 section 3.1.1).
    mutating func add(line: ArraySlice<UInt8>, limit: Int) throws(RTSPDecodingError) {
        let value = Self.trimmed(line)
        if line.first == Self.space || line.first == 0x09 {
            guard !fields.isEmpty else {
                throw RTSPDecodingError(.badRequest, "the header begins with a continued line")
            }
            // A line of white space alone adds nothing.
            if value.isEmpty { return }
            fields[fields.count - 1].value += (fields[fields.count - 1].value.isEmpty ? "" : " ") + Self.text(value)
            return
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw RTSPDecodingError(.badRequest, "a header line has no colon", sequence: sequence)
        }
        let name = Self.trimmed(line[..<colon])
        guard !name.isEmpty, name.allSatisfy(Self.isToken) else {
            throw RTSPDecodingError(.badRequest, "a header field's name is no token", sequence: sequence)
        }
        guard fields.count < limit else {
            throw RTSPDecodingError(.entityTooLarge, "there are more than \(limit) header fields", sequence: sequence)
        }
        fields.append(RTSPHeaders.Field(Self.text(name), Self.text(Self.trimmed(line[(colon + 1)...]))))
    }

    /// The length of the body: what Content-Length says, and nothing else (section 12.14). Several that agree are one.
    func bodyLength(limits: RTSPLimits) throws(RTSPDecodingError) -> Int {
        let limit =
            switch start {
            case .request(.announce, _, _), .response: limits.body
            case .request: limits.smallBody
            }
        let values = Set(RTSPHeaders(fields).all("Content-Length"))
        guard let value = values.first else { return 0 }
        guard values.count == 1, !value.isEmpty, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw RTSPDecodingError(.badRequest, "Content-Length is no number", sequence: sequence)
        }
        guard let length = Self.number(Array(value.utf8)[...], upTo: limit) else {
            throw RTSPDecodingError(.entityTooLarge, "the body is longer than \(limit) bytes", sequence: sequence)
        }
        return length
    }

    /// True for the head of a response.
    var isResponse: Bool { if case .response = start { true } else { false } }

    /// True for the head of a response whose body is a session description.
    var isDescription: Bool {
        isResponse
            && HeaderText.lowercased((RTSPHeaders(fields)["Content-Type"] ?? "")[...]).hasPrefix("application/sdp")
    }

    /// The message, with its body.
    func message(body: [UInt8]) -> RTSPMessage {
        switch start {
        case .request(let method, let uri, let version):
            .request(RTSPRequest(method, uri, headers: RTSPHeaders(fields), body: body, version: version))
        case .response(let status): .response(RTSPResponse(status, headers: RTSPHeaders(fields), body: body))
        }
    }

    private var sequence: UInt32? { RTSPHeaders(fields).sequence }

    /// `RTSP/1.0`: one or more digits on each side of the dot.
    private static func version(_ text: ArraySlice<UInt8>) -> RTSPVersion? {
        guard text.starts(with: "RTSP/".utf8) else { return nil }
        let parts = text.dropFirst(5).split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 2, let major = number(parts[0], upTo: 0xffff), let minor = number(parts[1], upTo: 0xffff)
        else { return nil }
        return RTSPVersion(major: UInt16(major), minor: UInt16(minor))
    }

    private static func number(_ digits: ArraySlice<UInt8>, upTo limit: Int) -> Int? {
        guard !digits.isEmpty else { return nil }
        var value = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int(digit - 0x30)
            guard value <= limit else { return nil }
        }
        return value
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == space || byte == 0x09 }
        guard let first = line.firstIndex(where: { !isSpace($0) }), let last = line.lastIndex(where: { !isSpace($0) })
        else { return line.prefix(0) }
        return line[first...last]
    }

    /// A character of a token (RFC 2326 section 15.1): neither a control character nor a separator.
    private static func isToken(_ byte: UInt8) -> Bool {
        (0x21...0x7e).contains(byte) && !"()<>@,;:\\\"/[]?={}".utf8.contains(byte)
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
