// An upstream's URL with places for what a request names.

/// The URL of an upstream, in which `$1` … `$9` denote groups of a regular expression. Each is put in as its position allows
/// (RFC 3986 section 3): a request chooses a part of the path or the query, and of the authority no more than a label.
struct URLTemplate {
    /// A text of the template, or the number of a group.
    private enum Piece: Hashable {
        case text(Substring)
        case group(Int)
    }

    /// Scheme, `://`, user, host and TCP port; then the path; then the query with its `?`.
    private let authority: Substring
    private let path: Substring
    private let query: Substring

    init(_ text: String) {
        let start = text.firstRange(of: "://")?.upperBound ?? text.startIndex
        let end = text[start...].firstIndex { $0 == "/" || $0 == "?" } ?? text.endIndex
        let mark = text[end...].firstIndex(of: "?") ?? text.endIndex
        authority = text[..<end]
        path = text[end..<mark]
        query = text[mark...]
    }

    /// The URL with `rest`, a decoded path, below the template's path, and with a request's query behind the template's.
    func appending(_ rest: Substring, query asked: String? = nil) -> String {
        (authority + (path.hasSuffix("/") ? path.dropLast() : path)).description
            + Self.encoded(rest, keeping: Self.inPath)
            + Self.joined(String(query), asked)
    }

    /// A template's query, with its question mark, and a request's, which is as it was written but for what no query may have.
    private static func joined(_ query: String, _ asked: String?) -> String {
        guard let asked, !asked.isEmpty else { return query }
        let text = encoded(asked[...], keeping: inWrittenQuery)
        return query.count > 1 ? "\(query)&\(text)" : "?\(text)"
    }

    /// The URL with groups in their places, and with a request's query behind the template's; nil where one has what may not stand in its place: delimiters or nothing in the
    /// authority, dot segments in the path.
    func expanded(_ groups: [Substring?], query asked: String? = nil) -> String? {
        guard let authority = expandedAuthority(groups) else { return nil }
        let path = Self.pieces(path, groups.count).map { Self.text($0, groups, keeping: Self.inPath) }.joined()
        let segments = path.split(separator: "/")
        guard !segments.contains("."), !segments.contains("..") else { return nil }
        let query = Self.pieces(query, groups.count).map { Self.text($0, groups, keeping: Self.inQuery) }.joined()
        return authority + path + Self.joined(query, asked)
    }

    private func expandedAuthority(_ groups: [Substring?]) -> String? {
        let start = authority.firstRange(of: "://")?.upperBound ?? authority.startIndex
        let host = authority.lastIndex(of: "@").map { authority.index(after: $0) } ?? start
        var result = String(authority[..<start])
        for part in [authority[start..<host], authority[host...]] {
            let pieces = Self.pieces(part, groups.count)
            for piece in pieces {
                guard case .group(let number) = piece else {
                    result += Self.text(piece, groups, keeping: [])
                    continue
                }
                // A name of several labels only where the operator leaves the whole host to the request.
                let isWholeHost = part.startIndex == host && Self.isHost(pieces)
                guard let text = groups[number], Self.isLabel(text, mayHaveDots: isWholeHost) else { return nil }
                result += text
            }
        }
        return result
    }

    /// True where a group is the host, alone or before a TCP port.
    private static func isHost(_ pieces: [Piece]) -> Bool {
        guard case .group = pieces.first else { return false }
        guard pieces.count > 1 else { return true }
        guard pieces.count == 2, case .text(let port) = pieces[1] else { return false }
        return port.hasPrefix(":")
    }

    private static func isLabel(_ text: Substring, mayHaveDots: Bool) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy { isLetterOrDigit($0) || "-_".utf8.contains($0) || mayHaveDots && $0 == 0x2e }
    }

    /// Takes a part of the template apart. A `$` before anything but the number of a group denotes itself.
    private static func pieces(_ part: Substring, _ groupCount: Int) -> [Piece] {
        var pieces: [Piece] = []
        var rest = part
        while let dollar = rest.firstIndex(of: "$") {
            if dollar > rest.startIndex { pieces.append(.text(rest[..<dollar])) }
            rest = rest[rest.index(after: dollar)...]
            if let digit = rest.first, digit.isASCII, let number = digit.wholeNumberValue, number < groupCount {
                pieces.append(.group(number))
                rest = rest.dropFirst()
            } else {
                pieces.append(.text("$"))
            }
        }
        if !rest.isEmpty { pieces.append(.text(rest)) }
        return pieces
    }

    private static func text(_ piece: Piece, _ groups: [Substring?], keeping kept: [UInt8]) -> String {
        switch piece {
        case .text(let text): String(text)
        case .group(let number): encoded(groups[number] ?? "", keeping: kept)
        }
    }

    /// The characters that a path, and the value of a query, may have beside letters and digits.
    private static let inPath = Array("/-._~!$&'()*+,;=:@".utf8)
    private static let inQuery = Array("-._~".utf8)
    private static let inWrittenQuery = Array("-._~!$&'()*+,;=:@/?%".utf8)

    /// Percent-encodes what may not stand there (RFC 3986 section 2.1): the requested path was decoded.
    private static func encoded(_ text: Substring, keeping kept: [UInt8]) -> String {
        var result = ""
        for byte in text.utf8 {
            if isLetterOrDigit(byte) || kept.contains(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: false
        }
    }
}
