// Equivalence of URIs, as clients write them in credentials.

/// The `uri` of credentials, compared with those of the request.
enum DigestURI {
    /// True if `uri` is one of `accepted`. Scheme and authority do not count if one of both lacks them, nor do slashes
    /// at the end: clients sign the absolute URI or its path, with or without a slash.
    static func isAccepted(_ uri: String, among accepted: [String]) -> Bool {
        accepted.contains { candidate in
            if uri == candidate { return true }
            let (a, b) = (parts(uri), parts(candidate))
            let isSameHost = a.authority == nil || b.authority == nil || a.authority == b.authority
            return isSameHost && a.path == b.path
        }
    }

    private static func parts(_ uri: String) -> (authority: String?, path: String) {
        var authority: String?
        var path = uri.utf8[...]
        if let colon = path.firstIndex(of: UInt8(ascii: ":")), path[colon...].starts(with: "://".utf8) {
            let start = path.index(colon, offsetBy: 3)
            let end = path[start...].firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex
            authority = String(decoding: path[start..<end], as: UTF8.self).lowercased()
            path = path[end...]
        }
        while path.last == UInt8(ascii: "/") { path = path.dropLast() }
        return (authority, String(decoding: path, as: UTF8.self))
    }
}
