// Headers of authentication, as specified and as devices write them.

@testable import Authentication
import TestSupport
import Testing

@Suite("Authentication: headers")
struct HeaderTests {
    static func digest(_ text: String) -> DigestChallenge? {
        for case .digest(let challenge) in AuthenticationChallenge.parse([text]) { return challenge }
        return nil
    }

    @Test("A challenge with everything in it")
    func full() throws {
        let challenge = try #require(
            Self.digest(
                #"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7yp/0v", "#
                    + #"opaque="FQh/Z8", stale=TRUE, userhash=true, domain="/a /b", charset=UTF-8"#))
        var expected = DigestChallenge(
            realm: "http-auth@example.org", nonce: "7yp/0v", opaque: "FQh/Z8", algorithm: .sha256)
        expected.qualities = ["auth", "auth-int"]
        expected.isStale = true
        expected.hashesUser = true
        #expect(challenge == expected)
        #expect(Self.digest(challenge.headerValue) == challenge)
    }

    @Test(
        "A-03: what devices write is read",
        arguments: [
            (#"Digest realm="a", nonce="n""#, "a"), (#"digest REALM=a,NONCE=n"#, "a"),
            (#"Digest  realm = "a" ,  nonce= "n" ,stale=FALSE"#, "a"),
            (#"Digest realm="a" nonce="n" stale="false""#, "a"),
            (#"Digest realm="", nonce="n""#, ""), (#"Digest nonce="n""#, ""),
            (#"Digest realm="a, b", nonce="n""#, "a, b"),
            (#"Digest realm="a \"b\" \\c", nonce="n""#, #"a "b" \c"#),
            (#"Digest realm="a "b" c", nonce="n""#, #"a "b" c"#),
            (#"Digest realm="a=b", nonce="n",algorithm="MD5""#, "a=b"), (#"Digest realm="a",nonce="n","#, "a"),
            (#"Digest realm="a", nonce="n", algorithm=md5, qop="""#, "a"), (#"Digest nonce="n", realm="a"#, "a"),
            (#"Digest ,realm="a",,nonce="n""#, "a"),
        ])
    func tolerated(text: String, realm: String) throws {
        let challenge = try #require(Self.digest(text))
        #expect(challenge.realm == realm && challenge.nonce == "n" && !challenge.isStale)
        #expect(challenge.algorithm ?? .md5 == .md5 && challenge.qualities.isEmpty)
    }

    @Test("A-04: several challenges in one header and in several")
    func several() {
        let one =
            #"Basic realm="a, b", Digest realm="c", nonce="n", qop="auth", Negotiate, NTLM abc==, Digest nonce=m, realm=d"#
        let expected: [AuthenticationChallenge] = [
            .basic(realm: "a, b"), .digest(DigestChallenge(realm: "c", nonce: "n")),
            .digest(DigestChallenge(realm: "d", nonce: "m", qualities: [])),
        ]
        #expect(AuthenticationChallenge.parse([one]) == expected)
        #expect(
            AuthenticationChallenge.parse([
                #"Basic realm="a, b""#, #"Digest realm="c", nonce="n", qop=auth"#, "Bearer", "Digest nonce=m, realm=d",
            ]) == expected)
    }

    @Test(
        "What is not understood is not taken for something else",
        arguments: [
            "", "Digest", #"Digest realm="a""#, #"Digest nonce="n", algorithm=SHA-512-256"#,
            #"Digest nonce="n", qop="x""#,
            "Bearer nonce=n", "=,\"", "nonce=n", "Digestnonce=n",
        ])
    func notUnderstood(text: String) {
        #expect(AuthenticationChallenge.parse([text]).isEmpty)
    }

    @Test("Credentials come back from their header")
    func credentials() throws {
        var digest = DigestCredentials(
            username: #"M"u\f"#, realm: "r, s", nonce: "n", uri: "rtsp://h/a?b=\"c\"", response: "0f")
        digest.algorithm = .sha256
        digest.opaque = ""
        digest.quality = "auth"
        digest.clientNonce = "c"
        digest.nonceCount = "0000000a"
        for credentials in [
            .digest(digest), .basic(user: "Aladdin", password: "open:sesame"), .basic(user: "jürgen", password: ""),
        ] as [AuthenticationCredentials] {
            #expect(AuthenticationCredentials.parse([credentials.headerValue]) == [credentials])
        }
        #expect(
            AuthenticationCredentials.basic(user: "Aladdin", password: "open sesame").headerValue
                == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        #expect(
            AuthenticationCredentials.parse(["Basic QWxhZGRpbg==", "Basic %", "Basic", "Digest nonce=1", "Basic /w=="])
                .isEmpty)
    }

    @Test("RFC 7616 section 4: a user's name in its extended form")
    func extended() {
        func user(_ value: String) -> String? {
            let text = "Digest username*=\(value), nonce=n, uri=u, response=r"
            guard case .digest(let credentials) = AuthenticationCredentials.parse([text]).first else { return nil }
            return credentials.username
        }
        #expect(user("UTF-8''J%C3%A4s%C3%B8n%20Doe") == "Jäsøn Doe")
        #expect(user("iso-8859-1''J%E4") == nil && user("UTF-8''%4") == nil && user("UTF-8''%FF") == nil)
    }

    @Test("A control character of a peer cannot end the header")
    func injection() {
        let challenge = DigestChallenge(realm: "a\r\nX: y\u{0}", nonce: "n")
        #expect(challenge.headerValue == #"Digest realm="aX: y", nonce="n", qop="auth""#)
    }

    @Test("Any bytes are parsed, within limits")
    func random() {
        var generator = SeededGenerator(seed: 7616)
        let alphabet = Array("Digest Basic,=\"\\ \tnonce=a".utf8)
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            let text = String(decoding: bytes, as: UTF8.self)
            for challenge in AuthenticationChallenge.parse([text]) {
                #expect(AuthenticationChallenge.parse([challenge.headerValue]) == [challenge], "\(text)")
            }
            _ = AuthenticationCredentials.parse([text])
        }
        let many = String(repeating: "Digest nonce=n, ", count: 1000)
        #expect(AuthenticationHeader.parse(many).count == AuthenticationHeader.maximumSchemes)
        let long = AuthenticationHeader.parse("Digest " + String(repeating: "a=b,", count: 9000))
        #expect(long.first?.parameters.count == AuthenticationHeader.maximumParameters)
    }
}
