// Answer of a client to `Digest`.

/// Credentials of digest authentication (RFC 7616 section 3.4).
public struct DigestCredentials: Hashable, Sendable {
    /// The user's name, or its hash.
    public var username: String
    public var isUserHashed = false
    public var realm: String
    public var nonce: String
    /// The URI that the response was computed for.
    public var uri: String
    /// Hexadecimal digits.
    public var response: String
    /// The algorithm; nil if it is not named, which means MD5.
    public var algorithm: DigestAlgorithm?
    /// True if the algorithm is a `-sess` variant.
    public var isSession = false
    public var opaque: String?
    /// `auth` or `auth-int`, the client's nonce, and how often the server's was used, as it is written; nil for the form of RFC 2069.
    public var quality: String?
    public var clientNonce: String?
    public var nonceCount: String?

    init(username: String, realm: String, nonce: String, uri: String, response: String) {
        self.username = username
        self.realm = realm
        self.nonce = nonce
        self.uri = uri
        self.response = response
    }

    /// Nil if something is missing, or the algorithm is not known here.
    init?(_ header: AuthenticationHeader) {
        guard header.scheme.lowercased() == "digest", let nonce = header["nonce"], let uri = header["uri"],
            let response = header["response"],
            let username = header["username"] ?? header["username*"].flatMap(Self.extended)
        else { return nil }
        self.init(username: username, realm: header["realm"] ?? "", nonce: nonce, uri: uri, response: response)
        if let name = header["algorithm"], !name.isEmpty {
            guard let (algorithm, isSession) = DigestAlgorithm.named(name) else { return nil }
            self.algorithm = algorithm
            self.isSession = isSession
        }
        isUserHashed = header["userhash"]?.lowercased() == "true"
        opaque = header["opaque"]
        quality = header["qop"].flatMap { $0.isEmpty ? nil : $0.lowercased() }
        clientNonce = header["cnonce"]
        nonceCount = header["nc"]
    }

    /// The value of an `Authorization` or `Proxy-Authorization` header.
    public var headerValue: String {
        let quoted = AuthenticationHeader.quoted
        var parts = [
            "username=\(quoted(username))", "realm=\(quoted(realm))", "nonce=\(quoted(nonce))", "uri=\(quoted(uri))",
            "response=\(quoted(response))",
        ]
        if let algorithm { parts.append("algorithm=\(algorithm.rawValue)\(isSession ? "-sess" : "")") }
        if let opaque { parts.append("opaque=\(quoted(opaque))") }
        if let quality, let clientNonce, let nonceCount {
            parts += ["qop=\(quality)", "nc=\(nonceCount)", "cnonce=\(quoted(clientNonce))"]
        } else if isSession, let clientNonce {
            parts.append("cnonce=\(quoted(clientNonce))")
        }
        if isUserHashed { parts.append("userhash=true") }
        return "Digest " + parts.joined(separator: ", ")
    }

    /// The name in `UTF-8''J%C3%A4s%C3%B8n` (RFC 8187 section 3.2); nil for another character set.
    private static func extended(_ value: String) -> String? {
        let parts = value.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].lowercased() == "utf-8" else { return nil }
        var bytes: [UInt8] = []
        var rest = parts[2].utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let octet = Hexadecimal.bytes(String(decoding: rest.prefix(2), as: UTF8.self)), octet.count == 1
            else { return nil }
            bytes += octet
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
