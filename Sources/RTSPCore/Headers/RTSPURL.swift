// Location of a presentation or a stream: the URLs of RTSP.

public import RTPWire

/// An RTSP URL (RFC 2326 section 3.2, with `rtsps` of RFC 7826 and IPv6 literals of RFC 3986 and RFC 6874).
///
/// Path and query are kept as they were written, since cameras compare them byte by byte; `routingPath` is what to decide by.
public struct RTSPURL: Hashable, Sendable {
    public enum Scheme: String, Hashable, Sendable, Codable {
        case rtsp, rtspu, rtsps
        /// The TCP or UDP port that is meant where none is named.
        public var defaultTCPPort: UInt16 { self == .rtsps ? 322 : 554 }
    }

    public enum Host: Hashable, Sendable {
        case name(String)
        /// A literal; the zone is that of a link-local IPv6 address, an interface.
        case address(IPAddress, zone: String? = nil)
    }

    public var scheme: Scheme
    /// Percent-decoded, nil where there is none. Never printed: pass them on for authentication only.
    public var user: String?
    public var password: String?
    public var host: Host
    /// As named by the URL.
    public var tcpPort: UInt16?
    /// Percent-encoded as it was written: empty, or with a `/` in front.
    public var path: String
    /// The text that follows the first `?`, as it was written.
    public var query: String?

    public init(
        scheme: Scheme = .rtsp, host: Host, tcpPort: UInt16? = nil, path: String = "", query: String? = nil
    ) {
        self.scheme = scheme
        self.host = host
        self.tcpPort = tcpPort
        self.path = path
        self.query = query
    }

    /// Reads an absolute URL. Nil for anything else, for control characters, for bad percent-encoding in the path, and for a
    /// path that would climb above its root.
    public init?(_ text: some StringProtocol) {
        let text = Substring(text)
        guard text.utf8.count <= 4096, !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }),
            let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")),
            let scheme = Scheme(rawValue: HeaderText.lowercased(text[..<colon])), text[colon...].hasPrefix("://")
        else { return nil }
        let rest = text[text.utf8.index(colon, offsetBy: 3)...]
        let end =
            rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        var authority = rest[..<end]
        self.scheme = scheme
        if let at = authority.utf8.lastIndex(of: UInt8(ascii: "@")) {
            let information = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let user = PercentEncoding.decode(information[0]) else { return nil }
            self.user = user
            if information.count == 2 {
                guard let password = PercentEncoding.decode(information[1]) else { return nil }
                self.password = password
            }
            authority = authority[authority.utf8.index(after: at)...]
        }
        guard let (host, portText) = Self.host(of: authority) else { return nil }
        self.host = host
        if let portText, !portText.isEmpty {
            guard let port = HeaderText.number(portText, as: UInt16.self), port != 0 else { return nil }
            tcpPort = port
        }
        let location = rest[end...]
        if let mark = location.utf8.firstIndex(of: UInt8(ascii: "?")) {
            path = String(location[..<mark])
            query = String(location[location.utf8.index(after: mark)...])
        } else {
            path = String(location)
        }
        guard Self.normalised(path) != nil else { return nil }
    }

    private static func host(of authority: Substring) -> (Host, Substring?)? {
        if authority.first == "[" {
            guard let end = authority.utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let after = authority[authority.utf8.index(after: end)...]
            guard after.isEmpty || after.first == ":" else { return nil }
            let literal = authority[..<end].dropFirst()
                .split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
            guard let address = IPAddress(literal[0]), literal[0].contains(":") else { return nil }
            var zone: String?
            if literal.count == 2 {
                // RFC 6874 writes `%25`; many write `%`.
                let text = literal[1].hasPrefix("25") && literal[1].count > 2 ? literal[1].dropFirst(2) : literal[1]
                guard isName(text) else { return nil }
                zone = String(text)
            }
            return (.address(address, zone: zone), after.isEmpty ? nil : after.dropFirst())
        }
        let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let port = parts.count == 2 ? parts[1] : nil
        if let address = IPAddress(parts[0]) { return (.address(address), port) }
        // `010.1.0.7` or `10.1` would be an address of somebody's choice, not a name.
        guard isName(parts[0]), let last = parts[0].split(separator: ".").last,
            HeaderText.number(last, as: UInt64.self) == nil
        else { return nil }
        return (.name(String(parts[0])), port)
    }

    private static func isName(_ text: Substring) -> Bool {
        (1...255).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
                default: false
                }
            }
    }
}

extension RTSPURL: CustomStringConvertible {
    /// The form in a request line: without user and password (they go into Authorization, and never into a log).
    public var description: String { "\(scheme.rawValue)://\(authority)\(location)" }

    /// Host and, where it is named, TCP port.
    public var authority: String { host.description + (tcpPort.map { ":\($0)" } ?? "") }

    /// Path and query.
    public var location: String { path + (query.map { "?\($0)" } ?? "") }

    /// The TCP port to connect to.
    public var effectiveTCPPort: UInt16 { tcpPort ?? scheme.defaultTCPPort }

    /// The path to route by: percent-decoded once, without dot segments, without a `/` at its end; `/` for the root.
    public var routingPath: String {
        // A path that cannot be normalised is not the path of a URL that was read; one that was set is refused at the root.
        Self.normalised(path) ?? "/"
    }

    /// The URL without user and password.
    public var withoutCredentials: RTSPURL {
        var url = self
        url.user = nil
        url.password = nil
        return url
    }

    /// Decodes once and takes out dot segments (RFC 3986 section 5.2.4); nil where that cannot be done, or would climb above
    /// the root.
    private static func normalised(_ path: String) -> String? {
        guard let decoded = PercentEncoding.decode(path[...]), !decoded.utf8.contains(where: { $0 < 0x20 }) else {
            return nil
        }
        var segments: [Substring] = []
        // By bytes: a combining character behind it would make a `/` part of another Character.
        for segment in decoded.utf8.split(separator: UInt8(ascii: "/")).map(Substring.init) where segment != "." {
            if segment == ".." {
                guard segments.popLast() != nil else { return nil }
            } else {
                segments.append(segment)
            }
        }
        return "/" + segments.joined(separator: "/")
    }
}

extension RTSPURL.Host: CustomStringConvertible {
    /// The form in a URL: IPv6 in brackets.
    public var description: String {
        switch self {
        case .name(let name): name
        case .address(let address, let zone?): "[\(address)%25\(zone)]"
        case .address(let address, nil): address.bracketed
        }
    }

    /// True if both name the same host; names are compared without regard to case.
    public func isSame(as other: Self) -> Bool {
        HeaderText.lowercased(description) == HeaderText.lowercased(other.description)
    }
}
