// Digest authentication: challenges and credentials as any peer writes them.

import Authentication
import SIPCore

enum CredentialsFuzz {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64 = 1

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state
        }
    }

    /// The lines are values of the header, as credentials and as challenges.
    static func run(_ bytes: [UInt8]) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", maxSplits: 8).map(String.init)
        var users = UserDatabase()
        do throws(UserDatabaseError) { try users.set(user: "alice", realm: "node", password: "secret") } catch {
            preconditionFailure("a user")
        }
        var server = AuthenticationServer(realm: "node", users: users, key: Array(repeating: 7, count: 32))
        guard var request = request() else { preconditionFailure("a request") }
        request.headers.set("Authorization", lines)
        request.headers.set("Proxy-Authorization", lines)
        var generator = Generator()
        for role in SIPAuthenticationRole.allCases {
            do throws(SIPRefusal) {
                _ = try server.authenticate(request, as: role, now: 1, using: &generator)
                preconditionFailure("nobody knows a nonce of this server, and the password")
            } catch {
                ParserFuzz.check(.response(error.response(to: request, tag: "fuzz")))
            }
        }
        challenge(lines, &generator)
    }

    /// A server challenges, and what is sent then is one request without the password.
    private static func challenge(_ lines: [String], _ generator: inout Generator) {
        guard let request = request() else { preconditionFailure("a request") }
        var client = SIPAuthenticationClient(user: "alice", password: "not to be seen")
        var response = SIPResponse(.unauthorized, to: request, tag: "fuzz")
        response.headers.set("WWW-Authenticate", lines)
        response.headers.set("Proxy-Authenticate", lines)
        let via = Via(.udp, request.vias[0].sentBy, branch: "z9hG4bKsecond")
        var again: SIPRequest? = request
        var attempts = 0
        while let attempt = again {
            ParserFuzz.check(.request(attempt))
            let text = String(decoding: attempt.bytes, as: UTF8.self)
            precondition(!text.contains("not to be seen"), "the password stays here")
            attempts += 1
            precondition(attempts < 10, "it does not try for ever")
            again = client.retry(attempt, after: response, via: via, using: &generator)
        }
    }

    private static func request() -> SIPRequest? {
        guard let uri = try? SIPURI("sip:bob@example.com"), let host = try? SIPHostPort("host.example.com"),
            let from = try? NameAddress("<sip:alice@example.com>;tag=a"),
            let to = try? NameAddress("<sip:bob@example.com>")
        else { return nil }
        return SIPRequest(
            .invite, uri, vias: [Via(.udp, host, branch: "z9hG4bKfirst")], from: from, to: to, callID: "call",
            sequence: 1)
    }
}
