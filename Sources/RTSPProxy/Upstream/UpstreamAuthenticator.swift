// An upstream's user and password, where a client session wants them.

import Authentication
import RTSPCore

/// Digest and Basic for one upstream. Basic is answered without TLS too, since many cameras have nothing else and the operator gave the
/// password for this one; the session notes it.
struct UpstreamAuthenticator: ClientAuthenticator {
    private var client: AuthenticationClient

    init(user: String, password: String) {
        client = AuthenticationClient(user: user, password: password, allowsBasic: true)
    }

    mutating func take(challenges: [String]) -> Bool {
        var generator = SystemRandomNumberGenerator()
        return client.challenged(by: challenges, using: &generator) == .retry
    }

    mutating func accepted() { client.accepted() }

    mutating func authorization(method: String, uri: String, body: [UInt8]) -> String? {
        client.authorization(method: method, uri: uri, body: body)
    }
}
