// Checks that every route of the proxy must pass, whatever the node; each rule by itself, so that a configuration
// file's errors name their line.

import Authentication
import RTPWire
public import Routing

extension RTSPRoute {
    /// Throws if no node could serve this route. Whether this node can, the proxy says.
    public func validate() throws(SpecificationError) {
        try RouteSpecification.validate(name: name)
        switch match {
        case .path(let text): _ = try Match(path: text)
        case .prefix(let text): _ = try Match(prefix: text)
        case .expression(let text): _ = try Match(expression: text)
        }
        if case .upstream(let text) = source { try UpstreamText.validate(text) }
        if let fingerprint { _ = try Self.fingerprint(fingerprint) }
        try checkFingerprint()
        try read.validate(setting: "read")
        try publish.validate(setting: "publish-users")
        for text in allowedNetworks { _ = try Self.network(text, setting: "allow") }
        for text in allowedDestinations { _ = try Self.network(text, setting: "destinations") }
    }

    /// The route without the password of its upstream: what every output shows, but a file that is for the node alone.
    public var masked: RTSPRoute {
        guard case .upstream(let text) = source else { return self }
        var copy = self
        copy.source = .upstream(UpstreamText.masked(text))
        return copy
    }

    /// True if its upstream's URL holds a password.
    public var hasPassword: Bool {
        guard case .upstream(let text) = source else { return false }
        return UpstreamText.password(of: text)?.isEmpty == false
    }

    /// The key of a permission that asks for users, which a node without a file of users has none of; nil where nobody must authenticate.
    public var settingThatNeedsUsers: String? {
        if read != .anyone { return "read" }
        return source == .publisher && publish != .anyone ? "publish-users" : nil
    }

    /// The fingerprint that `text` is, in its one form.
    public static func fingerprint(_ text: String) throws(SpecificationError) -> String {
        guard let fingerprint = CertificateFingerprint(text) else {
            throw SpecificationError(
                .setting("fingerprint"), text, "is not the SHA-256 of a certificate",
                remedy: "write the 32 bytes that 'openssl x509 -noout -fingerprint -sha256' prints, AB:CD:…")
        }
        return fingerprint.description
    }

    /// Throws if there is a fingerprint and the upstream shows no certificate.
    public func checkFingerprint() throws(SpecificationError) {
        guard fingerprint != nil, case .upstream(let text) = source, !text.lowercased().hasPrefix("rtsps://") else {
            return
        }
        throw SpecificationError(
            .setting("rtsp route"), name, "has a fingerprint, but its upstream is not by TLS",
            remedy: "write rtsps://, or leave fingerprint out")
    }

    /// The network that `text` names, in its one form.
    public static func network(_ text: String, setting key: String) throws(SpecificationError) -> String {
        try IPNetwork(parsing: text, setting: key).description
    }
}

extension RTSPRoute.Match {
    /// In bytes.
    private static let maximumLength = 1024

    /// The match of one path.
    public init(path text: String) throws(SpecificationError) {
        try Self.check(text, setting: "path")
        guard text.count == 1 || !text.hasSuffix("/") else {
            throw SpecificationError(
                .setting("path"), text, "ends with '/'", remedy: "leave the last '/' out, or use prefix")
        }
        self = .path(text)
    }

    /// The match of a path and everything below it.
    public init(prefix text: String) throws(SpecificationError) {
        try Self.check(text, setting: "prefix")
        self = .prefix(text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text)
    }

    /// The match of whatever a regular expression matches as a whole.
    public init(expression text: String) throws(SpecificationError) {
        guard !text.isEmpty, text.utf8.count <= Self.maximumLength else {
            throw SpecificationError(
                .setting("regex"), text, "is empty or longer than \(Self.maximumLength) bytes",
                remedy: #"write one such as /cam(\d+)"#)
        }
        do { _ = try Regex(text) } catch {
            throw SpecificationError(
                .setting("regex"), text, "is no regular expression (\(error))", remedy: #"write one such as /cam(\d+)"#)
        }
        self = .expression(text)
    }

    private static func check(_ text: String, setting key: String) throws(SpecificationError) {
        func refuse(_ problem: String, _ remedy: String) -> SpecificationError {
            SpecificationError(.setting(key), text, problem, remedy: remedy)
        }
        guard text.hasPrefix("/") else {
            throw refuse("does not begin with '/'", "write the path of the URL, /studio1")
        }
        guard text.utf8.count <= maximumLength, text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f })
        else { throw refuse("has control characters or more than \(maximumLength) bytes", "use a shorter, plain path") }
        guard !text.contains(where: { "?#".contains($0) }) else {
            throw refuse("has a query or a fragment", "leave out what begins with '?' or '#'")
        }
        let segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard !segments.contains(".."), !segments.contains("."), !segments.dropLast().contains("") else {
            throw refuse("has empty or dot segments", "write the path without them")
        }
    }
}

extension RTSPRoute.Permission {
    /// The permission that the words of a configuration or a command line mean: `anyone`, `any-user`, or names of users.
    public init(words: [String], setting key: String) throws(SpecificationError) {
        switch words {
        case ["anyone"]: self = .anyone
        case ["any-user"]: self = .anyUser
        default: self = .users(Set(words))
        }
        try validate(setting: key)
    }

    func validate(setting key: String) throws(SpecificationError) {
        guard case .users(let users) = self else { return }
        guard !users.isEmpty else {
            throw SpecificationError(
                .setting(key), "", "names nobody", remedy: "list users, or use anyone or any-user")
        }
        for user in users.sorted() {
            if ["anyone", "any-user"].contains(user) {
                throw SpecificationError(
                    .setting(key), user, "stands among users", remedy: "write it alone, or leave it out")
            }
            // The colon ends the user in Basic credentials (RFC 7617 section 2).
            guard (1...255).contains(user.utf8.count),
                user.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f && $0 != ":" })
            else {
                throw SpecificationError(
                    .setting(key), user, "cannot be a user's name",
                    remedy: "use 1 to 255 bytes without ':' and control characters")
            }
        }
    }
}
