// Whom a message is for.

/// A URI as SIP uses it: sip and sips (RFC 3261 section 19.1), tel (RFC 3966), and any other as opaque text.
///
/// Parts are held as they were written, escapes included, so that printing gives back what was read.
public struct SIPURI: Hashable, Sendable {
    /// The scheme, lower case where it is another.
    public enum Scheme: Hashable, Sendable {
        case sip, sips, tel
        case other(String)
    }

    public var scheme: Scheme
    /// The user part of sip and sips, the number of tel, escapes as written; nil where there is none.
    public var user: String?
    /// The password of sip and sips, escapes as written.
    public var password: String?
    /// The host of sip and sips; nil for other schemes.
    public var place: SIPHostPort?
    public var parameters: SIPParameters
    /// The part behind `?` of sip and sips.
    public var headers: String?
    /// The part behind the colon, for other schemes.
    public var opaque: String?

    public init(
        _ scheme: Scheme = .sip, user: String? = nil, _ place: SIPHostPort, parameters: SIPParameters = [:]
    ) {
        self.scheme = scheme
        self.user = user
        self.place = place
        self.parameters = parameters
    }

    /// Reads a URI without angle brackets.
    public init(_ text: some StringProtocol) throws(SIPSyntaxError) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")),
            let first = text.utf8.first, ASCII.isLetter(first),
            text[..<colon].utf8.allSatisfy({ ASCII.isAlphanumeric($0) || $0 == 0x2b || $0 == 0x2d || $0 == 0x2e })
        else { throw SIPSyntaxError("'\(text)' has no scheme") }
        let rest = text[text.utf8.index(after: colon)...]
        parameters = [:]
        switch text[..<colon].lowercased() {
        case "sip":
            scheme = .sip
            try readHierarchy(rest)
        case "sips":
            scheme = .sips
            try readHierarchy(rest)
        case "tel":
            scheme = .tel
            try readNumber(rest)
        case let name:
            guard !rest.isEmpty, rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x3c && $0 != 0x3e }) else {
                throw SIPSyntaxError("'\(text)' is no URI")
            }
            scheme = .other(name)
            opaque = String(rest)
        }
    }

    /// `[user[:password]@]host[:port][;parameters][?headers]`.
    private mutating func readHierarchy(_ text: some StringProtocol) throws(SIPSyntaxError) {
        // The user part may hold any of ; ? : so the @ is looked for first.
        var rest = Substring(text)
        if let at = rest.utf8.firstIndex(of: UInt8(ascii: "@")) {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = try Self.checked(parts[0], signs: Self.userSigns)
            if user?.isEmpty != false { throw SIPSyntaxError("the user before @ is missing") }
            if parts.count == 2 { password = try Self.checked(parts[1], signs: Self.passwordSigns) }
            rest = rest[rest.utf8.index(after: at)...]
        }
        if let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) {
            headers = try Self.checked(rest[rest.utf8.index(after: mark)...], signs: Self.headerSigns)
            rest = rest[..<mark]
        }
        if let semicolon = rest.utf8.firstIndex(of: UInt8(ascii: ";")) {
            parameters = try SIPParameters(uriText: rest[rest.utf8.index(after: semicolon)...])
            rest = rest[..<semicolon]
        }
        guard !rest.utf8.contains(where: ASCII.isSpace) else { throw SIPSyntaxError("a URI has white space") }
        place = try SIPHostPort(rest)
    }

    /// `number[;parameters]`.
    private mutating func readNumber(_ text: some StringProtocol) throws(SIPSyntaxError) {
        let parts = text.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false)
        let signs = ByteSet("+-.()*#")
        guard let number = parts.first, !number.isEmpty,
            number.utf8.allSatisfy({ ASCII.isHex($0) || signs.contains($0) })
        else { throw SIPSyntaxError("'\(text)' is no telephone number") }
        user = String(number)
        if parts.count == 2 { parameters = try SIPParameters(uriText: parts[1]) }
    }

    private static let userSigns = ByteSet("&=+$,;?/")
    private static let passwordSigns = ByteSet("&=+$,")
    private static let headerSigns = ByteSet("[]/?:+$&=")

    private static func checked(
        _ text: some StringProtocol, signs: ByteSet
    ) throws(SIPSyntaxError) -> String {
        guard text.utf8.allSatisfy({ ASCII.isUnreserved($0) || signs.contains($0) }), ASCII.hasValidEscapes(text)
        else { throw SIPSyntaxError("'\(text)' has signs that must be escaped") }
        return String(text)
    }
}

extension SIPURI: CustomStringConvertible {
    public var description: String {
        switch scheme {
        case .other(let name): return "\(name):\(opaque ?? "")"
        case .tel: return "tel:\(user ?? "")\(parameters)"
        case .sip, .sips:
            var text = scheme == .sip ? "sip:" : "sips:"
            if let user { text += user + (password.map { ":\($0)" } ?? "") + "@" }
            if let place { text += place.description }
            text += parameters.description
            if let headers { text += "?\(headers)" }
            return text
        }
    }

    /// The user part with its escapes undone: what a device is called by. Setting it escapes what must be; an empty one is none.
    public var userName: String? {
        get { user.map { Escapes.undone($0) } }
        set {
            password = nil
            user = newValue.flatMap { $0.isEmpty ? nil : Escapes.escaped($0, except: Self.userSigns) }
        }
    }

    /// True if the router that it names leaves the Request-URI alone (`lr`, RFC 3261 section 19.1.1).
    public var isLooseRouter: Bool { parameters.contains("lr") }

    /// The transport that the URI asks for; nil where it leaves the choice.
    public var transport: SIPTransport? { parameters["transport"].map { SIPTransport($0) } }
}
