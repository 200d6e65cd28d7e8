// The sums of digest authentication.

/// The values of a response (RFC 7616 section 3.4.1), but for the user's secret.
struct DigestComputation {
    var algorithm: DigestAlgorithm
    /// True if the algorithm is a `-sess` variant.
    var isSession = false
    var nonce: String
    /// Nil for the form of RFC 2069 (RFC 2617 section 3.2.2.1).
    var protection: Protection?
    var method: String
    var uri: String
    /// Counts for `auth-int` only.
    var body: [UInt8] = []

    /// The quality of protection, and what it needs.
    struct Protection {
        var name: String
        /// Eight hexadecimal digits.
        var nonceCount: String
        var clientNonce: String

        static let authentication = "auth"
        static let integrity = "auth-int"
    }

    /// H(user:realm:password), the secret that is stored (section 3.4.2).
    static func secret(user: String, realm: String, password: String, algorithm: DigestAlgorithm) -> String {
        algorithm.hash("\(user):\(realm):\(password)")
    }

    /// The user's name as `userhash=true` sends it (section 3.4.4).
    static func userHash(user: String, realm: String, algorithm: DigestAlgorithm) -> String {
        algorithm.hash("\(user):\(realm)")
    }

    /// The response of who has the secret.
    func response(secret: String) -> String {
        var key = secret
        if isSession { key = algorithm.hash("\(secret):\(nonce):\(protection?.clientNonce ?? "")") }
        var request = "\(method):\(uri)"
        if protection?.name == Protection.integrity { request += ":" + algorithm.hash(body) }
        let asked = algorithm.hash(request)
        guard let protection else { return algorithm.hash("\(key):\(nonce):\(asked)") }
        return algorithm.hash(
            "\(key):\(nonce):\(protection.nonceCount):\(protection.clientNonce):\(protection.name):\(asked)")
    }
}
