// Messages to bytes.

extension RTSPRequest {
    /// As it is sent (RFC 2326 section 6), with Content-Length where there is a body.
    public var encoded: [UInt8] {
        RTSPEncoding.message(
            "\(method.name) \(uri) RTSP/\(version.major).\(version.minor)", headers: headers, body: body)
    }
}

extension RTSPResponse {
    /// As it is sent (RFC 2326 section 7), with Content-Length where there is a body.
    public var encoded: [UInt8] {
        RTSPEncoding.message("RTSP/1.0 \(status.code) \(status.phrase)", headers: headers, body: body)
    }
}

extension RTSPMessage {
    /// As it is sent. A packet has at most 65 535 bytes.
    public var encoded: [UInt8] {
        switch self {
        case .request(let request): request.encoded
        case .response(let response): response.encoded
        case .interleaved(let channel, let payload):
            Self.frameHeader(channel: channel, length: UInt16(payload.count)) + payload
        }
    }

    /// The four bytes before a packet of `length` bytes on an interleaved channel (RFC 2326 section 10.12).
    public static func frameHeader(channel: UInt8, length: UInt16) -> [UInt8] {
        [UInt8(ascii: "$"), channel, UInt8(length >> 8), UInt8(length & 0xff)]
    }
}

/// The functions that the encodings of requests and responses share.
private enum RTSPEncoding {
    static func message(_ startLine: String, headers: RTSPHeaders, body: [UInt8]) -> [UInt8] {
        var headers = headers
        headers["Content-Length"] = body.isEmpty ? nil : "\(body.count)"
        var bytes: [UInt8] = []
        append(startLine, to: &bytes)
        for field in headers.fields { append("\(field.name): \(field.value)", to: &bytes) }
        bytes += [0x0d, 0x0a]
        return bytes + body
    }

    /// A line; control characters in it become spaces, so that no value can end its line and begin another.
    private static func append(_ line: String, to bytes: inout [UInt8]) {
        bytes += line.utf8.map { $0 < 0x20 || $0 == 0x7f ? 0x20 : $0 }
        bytes += [0x0d, 0x0a]
    }
}
