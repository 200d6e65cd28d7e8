// The client's side: challenges in, credentials out.

/// One user's dealings with one server (or with one proxy: 407 and 401 are two of these).
///
/// Ask `authorization` for every request; it is nil until a server asked. When one answers 401, give its challenges to `challenged`,
/// which says whether to repeat the request. Report every other answer with `accepted`.
public struct AuthenticationClient: Sendable {
    /// The decision on a challenge.
    public enum Decision: Hashable, Sendable {
        /// Send the request again, with new credentials.
        case retry
        /// Tell the user: another attempt would be refused as well.
        case giveUp(Reason)
    }

    /// The reason for which another attempt would be refused.
    public enum Reason: Hashable, Sendable {
        /// The credentials are wrong.
        case refused
        /// The server asks for nothing that is understood here, or only for Basic where that is not allowed.
        case unsupported
        /// The server calls one new nonce after the other stale.
        case endless
    }

    /// The most nonces in a row that a server may call stale.
    static let maximumStale = 4

    private let user: String
    private let password: String
    private let allowsBasic: Bool
    private var current: AuthenticationChallenge?
    private var clientNonce = ""
    private var nonceCount: UInt32 = 0
    /// True if credentials for the current challenge were accepted once.
    private var isConfirmed = false
    private var staleInARow = 0

    /// The dealings of `user`. Basic shows the password to who can read the connection: allow it over TLS only, and never for SIP.
    public init(user: String, password: String, allowsBasic: Bool) {
        self.user = user
        self.password = password
        self.allowsBasic = allowsBasic
    }

    /// Takes the challenges of a 401 (or 407): the values of all `WWW-Authenticate` (or `Proxy-Authenticate`) headers. The strongest one
    /// that is understood counts: Digest with SHA-256, with MD5, Basic.
    public mutating func challenged(
        by values: [String], using generator: inout some RandomNumberGenerator
    ) -> Decision {
        var best: AuthenticationChallenge?
        for challenge in AuthenticationChallenge.parse(values) {
            if case .basic = challenge, !allowsBasic { continue }
            if challenge.strength > best?.strength ?? -1 { best = challenge }
        }
        guard let best else { return .giveUp(.unsupported) }
        switch best {
        case .basic:
            if current == best, nonceCount > 0 { return .giveUp(.refused) }
        case .digest(let challenge):
            var isSameNonce = false
            if case .digest(let old) = current { isSameNonce = old.nonce == challenge.nonce }
            if challenge.isStale, !isSameNonce {
                staleInARow += 1
                if staleInARow > Self.maximumStale { return .giveUp(.endless) }
            } else if nonceCount > 0, isSameNonce || !isConfirmed {
                return .giveUp(.refused)
            }
        }
        current = best
        nonceCount = 0
        isConfirmed = false
        clientNonce = Hexadecimal.text((0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) })
        return .retry
    }

    /// The server answered with something else than a challenge: the credentials are right, and a later challenge is about the nonce.
    public mutating func accepted() {
        isConfirmed = nonceCount > 0
        staleInARow = 0
    }

    /// The value of the `Authorization` (or `Proxy-Authorization`) header for a request; nil as long as the server has not asked. Every
    /// call counts as one use of the nonce.
    public mutating func authorization(method: String, uri: String, body: [UInt8] = []) -> String? {
        guard let current else { return nil }
        nonceCount += 1
        switch current {
        case .basic: return AuthenticationCredentials.basic(user: user, password: password).headerValue
        case .digest(let challenge):
            return credentials(challenge, method: method, uri: uri, body: body).headerValue
        }
    }

    private func credentials(
        _ challenge: DigestChallenge, method: String, uri: String, body: [UInt8]
    ) -> DigestCredentials {
        let algorithm = challenge.algorithm ?? .md5
        let qualities = challenge.qualities
        let digits = String(nonceCount, radix: 16)
        let count = String(repeating: "0", count: 8 - digits.count) + digits
        let quality =
            qualities.contains(DigestComputation.Protection.authentication)
            ? DigestComputation.Protection.authentication : qualities.first
        let computation = DigestComputation(
            algorithm: algorithm, isSession: challenge.isSession, nonce: challenge.nonce,
            protection: quality.map { .init(name: $0, nonceCount: count, clientNonce: clientNonce) },
            method: method, uri: uri, body: body)
        let realm = challenge.realm
        let secret = DigestComputation.secret(user: user, realm: realm, password: password, algorithm: algorithm)
        var credentials = DigestCredentials(
            username: challenge.hashesUser
                ? DigestComputation.userHash(user: user, realm: realm, algorithm: algorithm) : user,
            realm: realm, nonce: challenge.nonce, uri: uri, response: computation.response(secret: secret))
        credentials.isUserHashed = challenge.hashesUser
        credentials.algorithm = challenge.algorithm
        credentials.isSession = challenge.isSession
        credentials.opaque = challenge.opaque
        credentials.quality = quality
        credentials.clientNonce = quality == nil && !challenge.isSession ? nil : clientNonce
        credentials.nonceCount = quality == nil ? nil : count
        return credentials
    }
}
