// What the client answers, and when it gives up.

@testable import Authentication
import TestSupport
import Testing

@Suite("Authentication: client")
struct ClientTests {
    var generator = SeededGenerator(seed: 1)

    private func digest(_ nonce: String, _ rest: String = #", qop="auth""#) -> String {
        "Digest realm=\"r\", nonce=\"\(nonce)\"\(rest)"
    }

    private func sent(_ client: inout AuthenticationClient, uri: String = "u") throws -> DigestCredentials {
        let value = try client.answer("DESCRIBE", uri)
        guard case .digest(let credentials) = AuthenticationCredentials.parse([value]).first else {
            throw SystemFailure("read \(value)", error: 0)
        }
        return credentials
    }

    @Test("A-04: nothing before a challenge; then counted uses of its nonce, for any method")
    mutating func counts() throws {
        var client = AuthenticationClient(user: "u", password: "p", allowsBasic: false)
        #expect(client.authorization(method: "OPTIONS", uri: "u") == nil)
        #expect(client.challenged(by: [digest("n")], using: &generator) == .retry)
        let first = try sent(&client)
        client.accepted()
        let second = try sent(&client)
        #expect(first.nonceCount == "00000001" && second.nonceCount == "00000002" && first.algorithm == nil)
        #expect(first.clientNonce?.count == 32 && first.response != second.response)
        #expect(client.challenged(by: [digest("m")], using: &generator) == .retry)
        let third = try sent(&client)
        #expect(third.nonceCount == "00000001" && third.clientNonce != first.clientNonce)
    }

    @Test("A-04: the strongest challenge that is understood wins, whatever the order")
    mutating func strongest() throws {
        let md5 = digest("5", ", algorithm=MD5")
        let sha256 = digest("256", ", algorithm=SHA-256")
        let other = digest("512", ", algorithm=SHA-512-256")
        for (values, nonce) in [
            ([md5, sha256, other, #"Basic realm="r""#], "256"), ([other, sha256 + ", " + md5], "256"),
            ([#"Basic realm="r""#, md5], "5"),
        ] {
            var client = AuthenticationClient(user: "u", password: "p", allowsBasic: true)
            #expect(client.challenged(by: values, using: &generator) == .retry)
            #expect(try sent(&client).nonce == nonce)
        }
        var client = AuthenticationClient(user: "u", password: "p", allowsBasic: false)
        for values in [[], [other], [#"Basic realm="r""#]] {
            #expect(client.challenged(by: values, using: &generator) == .giveUp(.unsupported))
        }
    }

    @Test("Basic where it is allowed, once")
    mutating func basic() {
        var client = AuthenticationClient(user: "Aladdin", password: "open sesame", allowsBasic: true)
        #expect(client.challenged(by: [#"Basic realm="r""#], using: &generator) == .retry)
        #expect(client.authorization(method: "X", uri: "u") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        #expect(client.challenged(by: [#"Basic realm="r""#], using: &generator) == .giveUp(.refused))
    }

    @Test("A-02: wrong credentials are sent once, whatever nonce comes back")
    mutating func refused() throws {
        for nonce in ["n", "m"] {
            var client = AuthenticationClient(user: "u", password: "p", allowsBasic: true)
            #expect(client.challenged(by: [digest("n")], using: &generator) == .retry)
            _ = try sent(&client)
            #expect(client.challenged(by: [digest(nonce)], using: &generator) == .giveUp(.refused))
        }
        var client = AuthenticationClient(user: "u", password: "p", allowsBasic: true)
        #expect(client.challenged(by: [digest("n")], using: &generator) == .retry)
        _ = try sent(&client)
        client.accepted()
        _ = try sent(&client)
        // Right for one thing and refused for another, with the same nonce: another attempt would be the same.
        #expect(client.challenged(by: [digest("n")], using: &generator) == .giveUp(.refused))
    }

    @Test("A-04: a camera that restarted has a new nonce; A-02: so has one that calls the old one stale")
    mutating func renewed() throws {
        var client = AuthenticationClient(user: "u", password: "p", allowsBasic: false)
        #expect(client.challenged(by: [digest("n")], using: &generator) == .retry)
        _ = try sent(&client)
        client.accepted()
        _ = try sent(&client)
        #expect(client.challenged(by: [digest("m")], using: &generator) == .retry)
        _ = try sent(&client)
        #expect(client.challenged(by: [digest("o", ", stale=TRUE")], using: &generator) == .retry)
        #expect(try sent(&client).nonce == "o")
        #expect(client.challenged(by: [digest("p", ", stale=false")], using: &generator) == .giveUp(.refused))
    }

    @Test("A server that calls every nonce stale is not asked for ever")
    mutating func endless() throws {
        var client = AuthenticationClient(user: "u", password: "p", allowsBasic: false)
        var decisions: [AuthenticationClient.Decision] = []
        for nonce in 0...AuthenticationClient.maximumStale {
            decisions.append(client.challenged(by: [digest("\(nonce)", ", stale=true")], using: &generator))
            _ = try sent(&client)
        }
        #expect(decisions.dropLast().allSatisfy { $0 == .retry } && decisions.last == .giveUp(.endless))
    }

    @Test("A-04: no algorithm, no quality, an empty password: the form of RFC 2069")
    mutating func old() throws {
        var client = AuthenticationClient(user: "u", password: "", allowsBasic: false)
        #expect(client.challenged(by: [digest("n", "")], using: &generator) == .retry)
        let value = try client.answer("DESCRIBE", "rtsp://h/a")
        let secret = DigestAlgorithm.md5.hash("u:r:")
        let response = DigestAlgorithm.md5.hash("\(secret):n:\(DigestAlgorithm.md5.hash("DESCRIBE:rtsp://h/a"))")
        #expect(
            value == "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"rtsp://h/a\", response=\"\(response)\"")
    }

    @Test("auth before auth-int, the opaque value given back, the user hashed if that is offered")
    mutating func options() throws {
        var client = AuthenticationClient(user: "u", password: "p", allowsBasic: false)
        _ = client.challenged(
            by: [digest("n", #", qop="auth-int,auth", opaque="o", userhash=true, algorithm=SHA-256-sess"#)],
            using: &generator)
        let credentials = try sent(&client)
        #expect(credentials.quality == "auth" && credentials.opaque == "o" && credentials.isSession)
        #expect(credentials.isUserHashed && credentials.username == DigestAlgorithm.sha256.hash("u:r"))
        _ = client.challenged(by: [digest("m", #", qop="auth-int", stale=true"#)], using: &generator)
        let one = try client.answer("X", "u", body: [1])
        #expect(one.contains("qop=auth-int, nc=00000001"))
    }
}
