// Requests that need credentials.

public import Authentication

extension AuthenticationServer {
    /// Judges the credentials of a request (RFC 3261 section 22). Basic is never offered or accepted (section 22.4),
    /// and ACK and CANCEL are never challenged (section 22.1): do not ask for them.
    ///
    /// - Returns: the user.
    /// - Throws: a 401 or 407 with challenges, or a 400.
    public mutating func authenticate(
        _ request: SIPRequest, as role: SIPAuthenticationRole, now: UInt64,
        using generator: inout some RandomNumberGenerator
    ) throws(SIPRefusal) -> String {
        precondition(request.method != .ack && request.method != .cancel, "ACK and CANCEL cannot be challenged")
        // Credentials for other realms, of other proxies on the way, do not count.
        var uris = [request.uri.description]
        let values = request.headers.all(role.credentialsName).filter { value in
            guard case .digest(let credentials) = AuthenticationCredentials.parse([value]).first,
                credentials.realm == realm
            else { return false }
            // Written otherwise, but the same.
            if let uri = try? SIPURI(credentials.uri), uri.isEquivalent(to: request.uri) {
                uris.append(credentials.uri)
            }
            return true
        }
        switch check(values, method: request.method.name, uris: uris, allowsBasic: false, now: now) {
        case .authenticated(let user): return user
        case .otherURI: throw SIPRefusal(SIPStatus(400, "Bad Request (credentials for another URI)"))
        case .challenge(let stale):
            var headers = SIPHeaders()
            headers.set(role.challengeName, challenges(stale: stale, allowsBasic: false, now: now, using: &generator))
            throw SIPRefusal(role.status, headers: headers)
        }
    }
}
