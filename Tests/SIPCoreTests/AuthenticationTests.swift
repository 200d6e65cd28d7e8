// Digest authentication of SIP, both sides against each other.

import Authentication
import TestSupport
import Testing

@testable import SIPCore

@Suite struct AuthenticationTests {
    private func server(realm: String = "node") throws -> AuthenticationServer {
        var users = UserDatabase()
        try users.set(user: "alice", realm: realm, password: "secret")
        return AuthenticationServer(realm: realm, users: users, key: Array(repeating: 7, count: 32))
    }

    private func challenge(
        _ server: inout AuthenticationServer, _ request: SIPRequest, _ role: SIPAuthenticationRole
    ) throws -> SIPResponse {
        var generator = SeededGenerator(seed: 3)
        let refusal = try #require(throws: SIPRefusal.self) {
            _ = try server.authenticate(request, as: role, now: 1, using: &generator)
        }
        return refusal.response(to: request, tag: "t")
    }

    @Test("A-05: a user agent asks with 401, a proxy with 407, never with Basic and always with qop")
    func challenges() throws {
        for (role, code) in [(SIPAuthenticationRole.userAgent, 401), (.proxy, 407)] {
            var server = try server()
            let response = try challenge(&server, try .sample(), role)
            #expect(response.status.code == UInt16(code))
            let values = response.headers.all(role.challengeName)
            #expect(values.count == 2)
            #expect(values.allSatisfy { $0.hasPrefix("Digest ") && $0.contains("qop=\"auth\"") })
        }
    }

    @Test("A-05: both realms at once: each gets its own credentials; those for other realms do not count")
    func bothRealms() throws {
        var generator = SeededGenerator(seed: 4)
        var proxy = try server(realm: "proxy")
        var other = try server(realm: "other")
        var origin = try server(realm: "origin")
        let request = try SIPRequest.sample()
        var response = try challenge(&proxy, request, .proxy)
        let fields = try challenge(&origin, request, .userAgent).headers.all("WWW-Authenticate")
        response.headers.set("WWW-Authenticate", fields)
        var client = SIPAuthenticationClient(user: "alice", password: "secret")
        let via = Via(.udp, request.vias[0].sentBy, branch: "z9hG4bKsecond")
        let again = try #require(client.retry(request, after: response, via: via, using: &generator))
        #expect(try proxy.authenticate(again, as: .proxy, now: 2, using: &generator) == "alice")
        #expect(try origin.authenticate(again, as: .userAgent, now: 2, using: &generator) == "alice")
        #expect(throws: SIPRefusal.self) { try other.authenticate(again, as: .proxy, now: 2, using: &generator) }
        #expect(again.headers["Authorization"]?.contains("uri=\"sip:bob@biloxi.example.com\"") == true)
    }

    @Test("A-06: the second request keeps Call-ID and From tag, has the next CSeq and a new branch")
    func retry() throws {
        var generator = SeededGenerator(seed: 5)
        var server = try server()
        let request = try SIPRequest.sample()
        let response = try challenge(&server, request, .proxy)
        var client = SIPAuthenticationClient(user: "alice", password: "wrong")
        let via = Via(.udp, request.vias[0].sentBy, branch: "z9hG4bKsecond")
        let again = try #require(client.retry(request, after: response, via: via, using: &generator))
        #expect(again.callID == request.callID)
        #expect(again.from == request.from)
        #expect(again.to == request.to)
        #expect(again.sequence == request.sequence + 1)
        #expect(again.vias == [via])
        let second = try challenge(&server, again, .proxy)
        #expect(client.retry(again, after: second, via: via, using: &generator) == nil)
    }

    @Test("A-06: the ACK of a 401 belongs to the INVITE's transaction")
    func acknowledgement() throws {
        let request = try SIPRequest.sample()
        let response = SIPResponse(.unauthorized, to: request, tag: "t")
        let acknowledgement = request.acknowledgement(ofFailure: response)
        #expect(acknowledgement.vias == request.vias)
        #expect(acknowledgement.sequence == request.sequence)
    }

    @Test("RFC 4475 regaut01: an unknown scheme is no credentials, and the answer is a challenge")
    func unknownScheme() throws {
        var server = try server()
        let response = try challenge(&server, try SIPParser.request(ApplicationMessages.regaut01), .userAgent)
        #expect(response.status.code == 401)
    }

    @Test("A-03: the URI of the credentials may be written otherwise, but must be the same")
    func uris() throws {
        var generator = SeededGenerator(seed: 6)
        var server = try server()
        var request = try SIPRequest.sample()
        let response = try challenge(&server, request, .userAgent)
        var client = SIPAuthenticationClient(user: "alice", password: "secret")
        request = try #require(client.retry(request, after: response, via: request.vias[0], using: &generator))
        var same = request
        same.uri = try SIPURI("sip:%62ob@BILOXI.example.com")
        #expect(try server.authenticate(same, as: .userAgent, now: 2, using: &generator) == "alice")
        request.uri = try SIPURI("sip:carol@biloxi.example.com")
        let refusal = try #require(throws: SIPRefusal.self) {
            _ = try server.authenticate(request, as: .userAgent, now: 2, using: &generator)
        }
        #expect(refusal.status.code == 400)
    }
}
