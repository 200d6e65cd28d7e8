// The session description in a body.

/// Bodies of messages.
public enum SIPBody {
    /// The bytes of the session description that a message carries, alone or as a part of a multipart body
    /// (RFC 3261 section 7.4, RFC 5621); nil where it has none.
    public static func sessionDescription(_ headers: SIPHeaders, _ body: [UInt8]) -> [UInt8]? {
        guard !body.isEmpty, let type = headers.contentType else { return nil }
        if type.isSDP { return headers.contentDisposition == "session" ? body : nil }
        guard type.type == "multipart", let boundary = type.parameters["boundary"], !boundary.isEmpty else {
            return nil
        }
        for part in parts(of: body, boundary: Array(boundary.utf8)) {
            guard let head = MessageHead(([UInt8]("Part".utf8) + [0x0a] + part)[...], limits: SIPLimits()) else {
                continue
            }
            let headers = SIPHeaders(head.fields)
            guard headers.contentType?.isSDP == true, headers.contentDisposition == "session" else { continue }
            return Array(part.dropFirst(head.length - 5))
        }
        return nil
    }

    /// The parts between lines of two hyphens and the boundary, head included; 16 parts at most.
    private static func parts(of body: [UInt8], boundary: [UInt8]) -> [[UInt8]] {
        let delimiter = [0x2d, 0x2d] + boundary
        var parts: [[UInt8]] = []
        var start: Int?
        var line = 0
        while line < body.count, parts.count < 16 {
            let lineFeed = body[line...].firstIndex(of: 0x0a)
            if body[line...].starts(with: delimiter) {
                if let start {
                    // The line end before a delimiter belongs to the delimiter.
                    let end = line >= 2 && body[line - 2] == 0x0d ? line - 2 : line - 1
                    parts.append(Array(body[min(start, end)..<end]))
                }
                start = lineFeed.map { $0 + 1 }
                if body[(line + delimiter.count)...].starts(with: [0x2d, 0x2d]) { return parts }
            }
            guard let lineFeed else { break }
            line = lineFeed + 1
        }
        return parts
    }
}

extension SIPRequest {
    /// The bytes of the session description; nil where there is none.
    public var sessionDescription: [UInt8]? { SIPBody.sessionDescription(headers, body) }
}

extension SIPResponse {
    /// The bytes of the session description; nil where there is none.
    public var sessionDescription: [UInt8]? { SIPBody.sessionDescription(headers, body) }
}
