// Authentication and permission of the user that a request is from.

import AgentSupport
import Authentication
import RTSPCore

/// Judges requests by the permissions of routes (RFC 2326 section 12.5 and appendix D.1): 401 with challenges, never 407.
@AgentActor
final class RequestAuthentication {
    /// The reason for which a request is refused.
    struct Failure: Error {
        var refusal: RTSPRefusal
        /// True if its credentials are wrong, rather than missing, too old, or those of a user who may not.
        var isWrongPassword: Bool

        init(_ refusal: RTSPRefusal, isWrongPassword: Bool = false) {
            self.refusal = refusal
            self.isWrongPassword = isWrongPassword
        }
    }

    private var server: AuthenticationServer
    private var generator = SystemRandomNumberGenerator()

    /// - Parameter users: All users of the realm.
    init(realm: String, users: UserDatabase) {
        var generator = SystemRandomNumberGenerator()
        let key = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        server = AuthenticationServer(realm: realm, users: users, key: key)
    }

    /// The users, which a reload may replace.
    var users: UserDatabase {
        get { server.users }
        set { server.users = newValue }
    }

    /// The user that a request is from, nil where anyone may; or the refusal: 401 for missing and wrong credentials, 403 for a user
    /// who may not.
    ///
    /// - Parameters:
    ///   - uris: The request's URI, and the presentation's, which some clients sign instead.
    ///   - isSecure: Whether the connection is TLS, on which alone Basic is taken.
    ///   - now: Nanoseconds of a monotonic clock.
    func user(
        of request: RTSPRequest, for permission: RTSPRoute.Permission, uris: [String], isSecure: Bool, now: UInt64
    ) throws(Failure) -> String? {
        if case .anyone = permission { return nil }
        let given = request.headers.all("Authorization")
        switch server.check(given, method: request.method.name, uris: uris, allowsBasic: isSecure, now: now) {
        case .authenticated(let user):
            if case .users(let allowed) = permission, !allowed.contains(user) {
                throw Failure(RTSPRefusal(.forbidden, "user '\(user)' may not"))
            }
            return user
        case .challenge(let isStale):
            let values = server.challenges(stale: isStale, allowsBasic: isSecure, now: now, using: &generator)
            let reason = given.isEmpty ? "no credentials" : isStale ? "a nonce that is too old" : "wrong credentials"
            let refusal = RTSPRefusal(
                .unauthorized, reason,
                headers: RTSPHeaders(values.map { RTSPHeaders.Field("WWW-Authenticate", $0) }))
            throw Failure(refusal, isWrongPassword: !given.isEmpty && !isStale)
        case .otherURI: throw Failure(RTSPRefusal(.badRequest, "credentials for another URI"))
        }
    }
}
