// The first line of a message.

/// The content of the first line (RFC 3261 sections 7.1 and 7.2).
enum StartLine {
    /// A request; its URI is read later, since a response needs the other fields first.
    case request(SIPMethod, uri: String)
    case response(SIPStatus)

    /// Reads a line; exactly one space is between its parts.
    init(_ line: String) throws(SIPParseError) {
        if Self.isResponse(line) {
            self = .response(try Self.status(line))
            return
        }
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty, name.utf8.allSatisfy(ASCII.isToken) else {
            throw SIPParseError(.badRequest, "the first line is neither a request nor a response")
        }
        guard parts.count == 3 else {
            throw SIPParseError(.badRequest, "the request line is not METHOD URI VERSION with single spaces")
        }
        guard ASCII.isSame(parts[2], "SIP/2.0") else {
            let isVersion = ASCII.isSame(parts[2].utf8Prefix(4), "SIP/")
            throw isVersion
                ? SIPParseError(.versionNotSupported, "version '\(parts[2])'")
                : SIPParseError(.badRequest, "the request line has no version")
        }
        self = .request(SIPMethod(String(name)), uri: String(parts[1]))
    }

    /// True if a line is meant to be a response's.
    static func isResponse(_ line: String) -> Bool { ASCII.isSame(line.utf8Prefix(4), "SIP/") }

    private static func status(_ line: String) throws(SIPParseError) -> SIPStatus {
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard ASCII.isSame(parts[0], "SIP/2.0") else {
            throw SIPParseError(.versionNotSupported, "version '\(parts[0])'")
        }
        guard parts.count >= 2, parts[1].utf8.count == 3, let code: UInt16 = ASCII.number(parts[1]),
            (100..<700).contains(code)
        else { throw SIPParseError(.badRequest, "the status line has no status of three digits") }
        return SIPStatus(code, parts.count == 3 ? String(parts[2]) : "")
    }
}

extension StringProtocol {
    /// The first bytes as text; a byte of a longer character counts as one.
    fileprivate func utf8Prefix(_ count: Int) -> String { String(decoding: utf8.prefix(count), as: UTF8.self) }
}
