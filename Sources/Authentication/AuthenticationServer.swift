// The server's side: credentials in, a verdict out.

import Timing

/// The users of one realm, and the record of their use of it.
///
/// Its nonces prove their origin and age by themselves; of those that were used with right credentials, the counts are kept in a table
/// of fixed size. Times are nanoseconds of one clock that does not go back.
public struct AuthenticationServer: Sendable {
    /// The verdict on a request's credentials.
    public enum Verdict: Hashable, Sendable {
        /// They are right.
        case authenticated(user: String)
        /// There are none, or they are wrong: answer 401 (407) with `challenges`. With `stale`, they are right and their nonce is too old
        /// or was used before: the client tries again by itself.
        case challenge(stale: Bool)
        /// They are right, but for another URI: answer 400 (RFC 7616 section 3.4.6).
        case otherURI(String)
    }

    /// The realm, which clients show to their users.
    public let realm: String
    /// The users; may be replaced at any time.
    public var users: UserDatabase
    /// The algorithms that are offered, in this order; may be replaced at any time.
    public var algorithms: [DigestAlgorithm]
    private let key: [UInt8]
    private let lifetime: UInt64
    private var counts: NonceCounts

    /// A server without state.
    ///
    /// - Parameters:
    ///   - key: 32 random bytes that nobody else knows.
    ///   - algorithms: What is offered, in this order.
    ///   - lifetime: How long a nonce is accepted, in nanoseconds.
    ///   - maximumNonces: How many used nonces are remembered.
    public init(
        realm: String, users: UserDatabase, key: [UInt8], algorithms: [DigestAlgorithm] = [.sha256, .md5],
        lifetime: UInt64 = 300_000_000_000, maximumNonces: Int = 16_384
    ) {
        precondition(key.count >= 16, "a key of fewer than 16 bytes can be guessed")
        self.realm = realm
        self.users = users
        self.key = key
        self.algorithms = algorithms
        self.lifetime = lifetime
        counts = NonceCounts(maximum: maximumNonces)
    }

    /// The values of the `WWW-Authenticate` (`Proxy-Authenticate`) headers of a 401 (407), one header each: Digest for every algorithm, and
    /// Basic last if it is allowed, which it is over TLS only, and never for SIP.
    public func challenges(
        stale: Bool = false, allowsBasic: Bool, now: UInt64, using generator: inout some RandomNumberGenerator
    ) -> [String] {
        var values = algorithms.map { algorithm in
            let nonce = Nonce(time: now, random: generator.next()).text(key: key, realm: realm)
            return DigestChallenge(
                realm: realm, nonce: nonce, algorithm: algorithm, isStale: stale, hashesUser: algorithm != .md5
            ).headerValue
        }
        if allowsBasic { values.append(AuthenticationChallenge.basic(realm: realm).headerValue) }
        return values
    }

    /// Judges a request.
    ///
    /// - Parameters:
    ///   - values: The values of all `Authorization` (`Proxy-Authorization`) headers; the first understood one counts.
    ///   - uris: What the credentials' `uri` may be: the request's own, and for RTSP that of the presentation. Scheme and host may be
    ///     missing in either, and slashes at the end do not count.
    public mutating func check(
        _ values: [String], method: String, uris: [String], allowsBasic: Bool, now: UInt64
    ) -> Verdict {
        switch AuthenticationCredentials.parse(values).first {
        case nil: return .challenge(stale: false)
        case .basic(let user, let password):
            guard allowsBasic, users.accepts(user: user, realm: realm, password: password) else {
                return .challenge(stale: false)
            }
            return .authenticated(user: user)
        case .digest(let credentials): return check(credentials, method: method, uris: uris, now: now)
        }
    }

    private mutating func check(
        _ credentials: DigestCredentials, method: String, uris: [String], now: UInt64
    ) -> Verdict {
        let algorithm = credentials.algorithm ?? .md5
        guard credentials.realm == realm, algorithms.contains(algorithm), !credentials.isSession else {
            return .challenge(stale: false)
        }
        var protection: DigestComputation.Protection?
        var count: UInt32?
        if let quality = credentials.quality {
            guard quality == DigestComputation.Protection.authentication, let text = credentials.nonceCount,
                let number = UInt32(text, radix: 16), number > 0, let clientNonce = credentials.clientNonce
            else { return .challenge(stale: false) }
            protection = .init(name: quality, nonceCount: text, clientNonce: clientNonce)
            count = number
        }
        let name = credentials.username
        let user = credentials.isUserHashed ? users.user(hash: name, realm: realm, algorithm: algorithm) : name
        let secret = user.flatMap { users.secret(user: $0, realm: realm, algorithm: algorithm) }
        let computation = DigestComputation(
            algorithm: algorithm, nonce: credentials.nonce, protection: protection, method: method, uri: credentials.uri
        )
        // An unknown user costs the same time as a wrong password.
        let expected = computation.response(secret: secret ?? String(repeating: "0", count: algorithm.digits))
        guard Hexadecimal.isEqual(expected, credentials.response), let user, secret != nil else {
            return .challenge(stale: false)
        }
        guard DigestURI.isAccepted(credentials.uri, among: uris) else { return .otherURI(credentials.uri) }
        let oldest = now.subtractingSaturating(lifetime)
        guard let nonce = Nonce(credentials.nonce, key: key, realm: realm), nonce.time >= oldest, nonce.time <= now
        else {
            return .challenge(stale: true)
        }
        // Credentials in the form of RFC 2069 have no count: whoever reads them on their way could use them again. Their nonce holds once.
        guard counts.use(nonce, count: count ?? .max, oldest: oldest) else { return .challenge(stale: true) }
        return .authenticated(user: user)
    }
}
