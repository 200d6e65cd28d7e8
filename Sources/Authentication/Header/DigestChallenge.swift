// Challenge of a server with `Digest`.

/// A challenge of digest authentication (RFC 7616 section 3.3).
public struct DigestChallenge: Hashable, Sendable {
    public var realm: String
    public var nonce: String
    /// To be given back unchanged; nil if there is none.
    public var opaque: String?
    /// The algorithm; nil if the server names none, which means MD5.
    public var algorithm: DigestAlgorithm?
    /// True if the algorithm is a `-sess` variant.
    public var isSession: Bool
    /// The qualities of protection on offer, `auth` and `auth-int`; empty for the form of RFC 2069.
    public var qualities: [String]
    /// True if the credentials were right, and only the nonce is too old.
    public var isStale: Bool
    /// True if the user's name may be sent hashed.
    public var hashesUser: Bool

    public init(
        realm: String, nonce: String, opaque: String? = nil, algorithm: DigestAlgorithm? = nil, isSession: Bool = false,
        qualities: [String] = ["auth"], isStale: Bool = false,
        hashesUser: Bool = false
    ) {
        self.realm = realm
        self.nonce = nonce
        self.opaque = opaque
        self.algorithm = algorithm
        self.isSession = isSession
        self.qualities = qualities
        self.isStale = isStale
        self.hashesUser = hashesUser
    }

    /// Nil without a nonce, or if neither the algorithm nor a quality of protection is known here. A missing realm is empty.
    init?(_ header: AuthenticationHeader) {
        guard header.scheme.lowercased() == "digest", let nonce = header["nonce"] else { return nil }
        self.init(realm: header["realm"] ?? "", nonce: nonce, opaque: header["opaque"])
        if let name = header["algorithm"], !name.isEmpty {
            guard let (algorithm, isSession) = DigestAlgorithm.named(name) else { return nil }
            self.algorithm = algorithm
            self.isSession = isSession
        }
        let offered = (header["qop"] ?? "").lowercased().split { " ,\t".contains($0) }.map(String.init)
        qualities = offered.filter {
            [DigestComputation.Protection.authentication, DigestComputation.Protection.integrity].contains($0)
        }
        if qualities.isEmpty, !offered.isEmpty { return nil }
        isStale = header["stale"]?.lowercased() == "true"
        hashesUser = header["userhash"]?.lowercased() == "true"
    }

    /// The value of a `WWW-Authenticate` or `Proxy-Authenticate` header.
    public var headerValue: String {
        var parts = ["realm=\(AuthenticationHeader.quoted(realm))", "nonce=\(AuthenticationHeader.quoted(nonce))"]
        if let opaque { parts.append("opaque=\(AuthenticationHeader.quoted(opaque))") }
        if let algorithm { parts.append("algorithm=\(algorithm.rawValue)\(isSession ? "-sess" : "")") }
        if !qualities.isEmpty { parts.append("qop=\(AuthenticationHeader.quoted(qualities.joined(separator: ",")))") }
        if isStale { parts.append("stale=true") }
        if hashesUser { parts.append("userhash=true") }
        return "Digest " + parts.joined(separator: ", ")
    }
}

extension DigestAlgorithm {
    /// The algorithm of a name in a header, in upper or lower case, and whether it is the `-sess` variant.
    static func named(_ name: String) -> (algorithm: DigestAlgorithm, isSession: Bool)? {
        let name = name.uppercased()
        for algorithm in allCases {
            if name == algorithm.rawValue { return (algorithm, false) }
            if name == algorithm.rawValue + "-SESS" { return (algorithm, true) }
        }
        // Some devices leave the hyphen out.
        return name == "SHA256" ? (.sha256, false) : nil
    }
}
