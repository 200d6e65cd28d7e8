// RTSP within HTTP: what a connection begins with, and what comes in it.

/// The beginning of a connection, which may be one of the two of a tunnel: answers come on that of GET, and requests in base64 on that of
/// POST. Both have the same `x-sessioncookie`.
public struct TunnelOpening: Sendable {
    /// One connection of a tunnel.
    public struct End: Hashable, Sendable {
        public enum Kind: Hashable, Sendable { case get, post }
        public var kind: Kind
        /// Chosen by the client: a secret.
        public var cookie: String

        public init(_ kind: Kind, cookie: String) {
            self.kind = kind
            self.cookie = cookie
        }
    }

    /// The meaning of the bytes so far.
    public enum Verdict: Hashable, Sendable {
        /// More must come.
        case undecided
        /// No tunnel: all of these bytes are the connection's own.
        case other([UInt8])
        /// An end of a tunnel, and what came behind its header.
        case tunnel(End, rest: [UInt8])
    }

    /// In bytes.
    private static let maximumHeader = 4096
    private static let cookieLength = 1...256
    private var bytes: [UInt8] = []

    public init() {}

    /// The number of bytes that are kept.
    public var storedBytes: Int { bytes.count }

    /// Takes what came; not called again after another verdict than `undecided`.
    public mutating func receive(_ new: some Sequence<UInt8>) -> Verdict {
        bytes += new
        guard Self.mayBeHTTP(bytes) else { return give() }
        guard let end = Self.headerEnd(bytes) else { return bytes.count > Self.maximumHeader ? give() : .undecided }
        guard end <= Self.maximumHeader, let tunnel = Self.end(of: bytes[..<end]) else { return give() }
        defer { bytes = [] }
        return .tunnel(tunnel, rest: Array(bytes[end...]))
    }

    private mutating func give() -> Verdict {
        defer { bytes = [] }
        return .other(bytes)
    }

    /// True for `GET ` and `POST `, and the beginning of either.
    private static func mayBeHTTP(_ bytes: [UInt8]) -> Bool {
        ["GET ", "POST "].contains { method in zip(method.utf8, bytes).allSatisfy { $0 == $1 } }
    }

    /// The place behind the empty line.
    private static func headerEnd(_ bytes: [UInt8]) -> Int? {
        var lineStart = 0
        for (index, byte) in bytes.enumerated() where byte == 0x0a {
            let line = bytes[lineStart..<index]
            if line.isEmpty || line.elementsEqual([0x0d]) { return index + 1 }
            lineStart = index + 1
        }
        return nil
    }

    private static func end(of header: ArraySlice<UInt8>) -> End? {
        let lines = String(decoding: header, as: UTF8.self).split(whereSeparator: \.isNewline)
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3, words[2].hasPrefix("HTTP/1.") else { return nil }
        let cookies = lines.dropFirst().compactMap { line -> Substring? in
            guard let colon = line.firstIndex(of: ":"),
                HeaderText.lowercased(line[..<colon]) == "x-sessioncookie"
            else { return nil }
            return line[line.index(after: colon)...]
        }
        guard cookies.count == 1 else { return nil }
        let cookie = cookies[0].drop { $0 == " " || $0 == "\t" }
        let text = String(cookie.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        guard cookieLength.contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            return nil
        }
        return End(words[0] == "GET" ? .get : .post, cookie: text)
    }

    /// The answer to GET; POST has none while it goes on.
    public static let accepted = Array(
        ("HTTP/1.0 200 OK\r\nServer: Crosspoint\r\nConnection: close\r\nCache-Control: no-store\r\nPragma: no-cache\r\n"
            + "Content-Type: application/x-rtsp-tunnelled\r\n\r\n").utf8)
    /// The answer to GET with a cookie that is in use, and to POST with one that is not.
    public static let refused = Array(
        "HTTP/1.0 400 Bad Request\r\nServer: Crosspoint\r\nConnection: close\r\n\r\n".utf8)
}

/// Base64 as it comes in a tunnel: in parts of any length, each message padded by itself or not (RFC 4648 section 4).
public struct TunnelDecoder: Sendable {
    /// The bits of the last characters that make no byte yet.
    private var bits: UInt32 = 0
    private var count = 0

    public init() {}

    /// The bytes that `text` completes; nil for what is no base64.
    public mutating func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        for character in text {
            switch character {
            case 0x0d, 0x0a, 0x20: continue
            case UInt8(ascii: "="):
                // The end of a message: the bits that are left are none of a byte.
                (bits, count) = (0, 0)
            default:
                guard let value = Self.value(character) else { return nil }
                bits = bits << 6 | value
                count += 6
                guard count >= 8 else { continue }
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
                bits &= (1 << UInt32(count)) - 1
            }
        }
        return result
    }

    private static func value(_ character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a") + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0") + 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
