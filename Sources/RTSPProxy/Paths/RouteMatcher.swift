// Whether a route is for a request's path, and what its upstream is then.

/// A route's match, made once.
struct RouteMatcher {
    private let match: RTSPRoute.Match
    // A Regex is not Sendable; the matcher stays on the proxy's actor.
    private let expression: Regex<AnyRegexOutput>?

    init(_ route: RTSPRoute) throws(RTSPRouteError) {
        match = route.match
        guard case .expression(let text) = route.match else {
            expression = nil
            return
        }
        do {
            expression = try Regex(text)
        } catch {
            throw RTSPRouteError(.invalid, "rtsp route \(route.name): '\(text)' is no regular expression: \(error)")
        }
    }

    /// Nil when the route is not for `path`; otherwise the upstream's URL, which is nil for publishers.
    func match(_ path: String, source: RTSPRoute.Source) -> String?? {
        let upstream: String? = if case .upstream(let url) = source { url } else { nil }
        switch match {
        case .path(let wanted): return wanted == path ? .some(upstream) : nil
        case .prefix(let prefix):
            let parent = prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix
            guard path == parent || path.hasPrefix(parent + "/") else { return nil }
            let rest = path.dropFirst(parent.count)
            return .some(upstream.map { ($0.hasSuffix("/") ? String($0.dropLast()) : $0) + Self.encoded(rest) })
        case .expression:
            guard let expression, let found = path.wholeMatch(of: expression) else { return nil }
            return .some(upstream.map { Self.expand($0, found) })
        }
    }

    /// Puts the groups of a match in place of `$1`… `$9`.
    private static func expand(_ upstream: String, _ found: Regex<AnyRegexOutput>.Match) -> String {
        var result = ""
        var rest = upstream[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            guard let digit = rest.first, let number = digit.wholeNumberValue, number < found.output.count else {
                result += "$"
                continue
            }
            rest = rest.dropFirst()
            result += encoded(found.output[number].substring ?? "")
        }
        return result + rest
    }

    /// Percent-encodes what may not stand in a URL's path (RFC 3986 section 3.3): the requested path was decoded.
    private static func encoded(_ path: Substring) -> String {
        var result = ""
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            case _ where "/-._~!$&'()*+,;=:@".utf8.contains(byte): result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }
}
