// What the server makes of credentials.

@testable import Authentication
import TestSupport
import Testing

@Suite("Authentication: server")
struct ServerTests {
    var generator = SeededGenerator(seed: 2)
    var server: AuthenticationServer
    static let second: UInt64 = 1_000_000_000

    init() throws {
        var users = UserDatabase()
        try users.set(user: "anna", realm: "studio", password: "secret")
        try users.set(user: "bert", realm: "elsewhere", password: "secret")
        server = AuthenticationServer(
            realm: "studio", users: users, key: Array(0..<32), lifetime: 300 * Self.second, maximumNonces: 8)
    }

    /// A client that has the server's challenge.
    private mutating func client(
        _ user: String = "anna", _ password: String = "secret", only index: Int? = nil, now: UInt64 = second
    ) -> AuthenticationClient {
        var client = AuthenticationClient(user: user, password: password, allowsBasic: true)
        let values = server.challenges(allowsBasic: false, now: now, using: &generator)
        #expect(client.challenged(by: index.map { [values[$0]] } ?? values, using: &generator) == .retry)
        return client
    }

    private mutating func check(
        _ value: String?, method: String = "DESCRIBE", uris: [String] = ["rtsp://node/cam1"], now: UInt64 = second
    ) -> AuthenticationServer.Verdict {
        server.check(value.map { [$0] } ?? [], method: method, uris: uris, allowsBasic: false, now: now)
    }

    @Test("A-01: Digest for every algorithm, SHA-256 first, and Basic only where it is allowed")
    mutating func challenges() throws {
        let values = server.challenges(stale: true, allowsBasic: true, now: 1, using: &generator)
        let parsed = AuthenticationChallenge.parse(values)
        #expect(values.count == 3 && parsed.count == 3 && parsed.last == .basic(realm: "studio"))
        for (challenge, algorithm) in zip(parsed, [DigestAlgorithm.sha256, .md5]) {
            guard case .digest(let digest) = challenge else { throw SystemFailure("find Digest", error: 0) }
            #expect(
                digest.algorithm == algorithm && digest.realm == "studio" && digest.qualities == ["auth"]
                    && digest.isStale)
        }
        let open = server.challenges(allowsBasic: false, now: 1, using: &generator)
        #expect(open.count == 2 && !open.joined().contains("stale") && Set(open + values).count == 5)
    }

    @Test("A wrong password is never taken, with any algorithm and as Basic, however often one guesses")
    mutating func guesses() {
        for number in 0..<1000 {
            var client = client("anna", "guess \(number)", only: number % 2)
            let value = client.authorization(method: "DESCRIBE", uri: "rtsp://node/cam1")
            #expect(check(value) == .challenge(stale: false))
            #expect(!server.users.accepts(user: "anna", realm: "studio", password: "guess \(number)"))
        }
    }

    @Test(
        "A-02: right credentials with SHA-256 and MD5, with and without quality of protection", arguments: [nil, 0, 1])
    mutating func accepted(index: Int?) {
        var client = client(only: index)
        for _ in 0..<3 {
            let value = client.authorization(method: "DESCRIBE", uri: "rtsp://node/cam1")
            #expect(check(value) == .authenticated(user: "anna"))
        }
        let nonce = server.challenges(allowsBasic: false, now: 5, using: &generator).compactMap(HeaderTests.digest)
        var old = AuthenticationClient(user: "anna", password: "secret", allowsBasic: false)
        _ = old.challenged(
            by: [DigestChallenge(realm: "studio", nonce: nonce[0].nonce, qualities: []).headerValue], using: &generator)
        #expect(check(old.authorization(method: "DESCRIBE", uri: "/cam1")) == .authenticated(user: "anna"))
        // Without a count, nothing tells the client from who overheard it.
        #expect(check(old.authorization(method: "DESCRIBE", uri: "/cam1")) == .challenge(stale: true))
    }

    @Test("A-01: wrong credentials, and none, are a challenge")
    mutating func wrong() throws {
        for (user, password) in [("anna", "Secret"), ("anna", ""), ("bert", "secret"), ("nobody", "secret")] {
            var client = client(user, password)
            let value = client.authorization(method: "DESCRIBE", uri: "rtsp://node/cam1")
            #expect(check(value) == .challenge(stale: false), "\(user)")
        }
        var client = client()
        let right = try client.answer("DESCRIBE", "rtsp://node/cam1")
        #expect(check(nil) == .challenge(stale: false))
        #expect(check(right, method: "PLAY") == .challenge(stale: false))
        for (part, other) in [
            ("realm=\"studio\"", "realm=\"elsewhere\""), ("qop=auth", "qop=auth-int"), ("nc=00000001", "nc=0"),
            ("nc=00000001", "nc=00000002"), ("SHA-256", "SHA-256-sess"), ("SHA-256", "MD5"), ("SHA-256", "SHA-512"),
            ("qop=auth, ", ""), ("response=\"", "response=\"0"),
        ] {
            #expect(right.contains(part))
            #expect(check(right.replacing(part, with: other)) == .challenge(stale: false), "\(other)")
        }
        #expect(check(right) == .authenticated(user: "anna"))
    }

    @Test("A-02: the count must grow: a replay is a challenge")
    mutating func replay() throws {
        var client = client()
        let values = (0..<3).map { _ in client.authorization(method: "DESCRIBE", uri: "rtsp://node/cam1") }
        #expect(check(values[0]) == .authenticated(user: "anna"))
        #expect(check(values[0]) == .challenge(stale: true))
        #expect(check(values[2]) == .authenticated(user: "anna"))
        #expect(check(values[1]) == .challenge(stale: true))
    }

    @Test("A-02: credentials in the form of RFC 2069, which have no count, are taken once")
    mutating func withoutCount() throws {
        func value(_ nonce: String) -> String {
            let response = DigestComputation(
                algorithm: .md5, nonce: nonce, protection: nil, method: "DESCRIBE", uri: "rtsp://node/cam1"
            ).response(secret: server.users.secret(user: "anna", realm: "studio", algorithm: .md5) ?? "")
            return
                #"Digest username="anna", realm="studio", nonce="\#(nonce)", uri="rtsp://node/cam1", response="\#(response)""#
        }
        for _ in 0..<2 {
            let nonce = Nonce(time: Self.second, random: generator.next()).text(key: Array(0..<32), realm: "studio")
            #expect(check(value(nonce)) == .authenticated(user: "anna"))
            for _ in 0..<3 { #expect(check(value(nonce), now: 2 * Self.second) == .challenge(stale: true)) }
        }
    }

    @Test("A-02: a nonce that is too old, of another server or of the future is stale, but wrong credentials are wrong")
    mutating func expiry() throws {
        for (issued, now, isStale) in [(1, 301, false), (1, 302, true), (5, 4, true)] as [(UInt64, UInt64, Bool)] {
            var client = client(now: issued * Self.second)
            let value = client.authorization(method: "DESCRIBE", uri: "rtsp://node/cam1")
            let verdict = check(value, now: now * Self.second)
            #expect(verdict == (isStale ? .challenge(stale: true) : .authenticated(user: "anna")))
        }
        var wrong = client("anna", "wrong")
        let value = wrong.authorization(method: "DESCRIBE", uri: "rtsp://node/cam1")
        #expect(check(value, now: 999 * Self.second) == .challenge(stale: false))
        var other = client()
        let right = other.authorization(method: "DESCRIBE", uri: "rtsp://node/cam1")
        server = AuthenticationServer(realm: "studio", users: server.users, key: Array(1..<33))
        #expect(check(right) == .challenge(stale: true))
    }

    @Test("A-02: who was told that the nonce is stale comes back by itself")
    mutating func retry() {
        var client = client()
        let late = 400 * Self.second
        #expect(
            check(client.authorization(method: "PLAY", uri: "/cam1"), method: "PLAY", now: late)
                == .challenge(stale: true))
        let values = server.challenges(stale: true, allowsBasic: false, now: late, using: &generator)
        #expect(client.challenged(by: values, using: &generator) == .retry)
        let value = client.authorization(method: "PLAY", uri: "/cam1")
        #expect(check(value, method: "PLAY", now: late) == .authenticated(user: "anna"))
    }

    @Test("A-02: no more nonces are remembered than allowed, and what was forgotten is not accepted again")
    mutating func bounded() throws {
        var used: [String?] = []
        for index in 0..<40 {
            var client = client(now: Self.second + UInt64(index))
            used.append(client.authorization(method: "DESCRIBE", uri: "/cam1"))
            #expect(check(used[index], now: 2 * Self.second) == .authenticated(user: "anna"))
        }
        for value in used { #expect(check(value, now: 2 * Self.second) == .challenge(stale: true)) }
        var counts = NonceCounts(maximum: 8)
        for random in 0..<100 as Range<UInt64> {
            let isFirst = counts.use(Nonce(time: 7, random: random), count: 1, oldest: 0)
            #expect(isFirst == (random < 8))
        }
        let isFirst = counts.use(Nonce(time: 8, random: 0), count: 1, oldest: 0)
        #expect(isFirst)
    }

    @Test("A-02: a user's name may come hashed")
    mutating func userHash() throws {
        var client = client()
        let value = try client.answer("DESCRIBE", "/cam1")
        #expect(value.contains("userhash=true") && !value.contains("anna"))
        #expect(check(value) == .authenticated(user: "anna"))
    }

    @Test("A-03: the URI may be absolute or a path, the presentation's or the track's, but not another one")
    mutating func uris() throws {
        for uri in ["rtsp://node/cam1", "/cam1/", "rtsp://node/cam1/track1", "/cam1/track1"] {
            var client = client()
            let value = client.authorization(method: "SETUP", uri: uri)
            let accepted = ["rtsp://node/cam1/track1", "rtsp://node/cam1/"]
            #expect(check(value, method: "SETUP", uris: accepted) == .authenticated(user: "anna"), "\(uri)")
        }
        var client = client()
        let value = client.authorization(method: "DESCRIBE", uri: "/cam2")
        #expect(check(value) == .otherURI("/cam2"))
    }

    @Test("Basic is refused unless the caller allows it")
    mutating func basic() {
        for (allowed, user, password, isRight) in [
            (true, "anna", "secret", true), (false, "anna", "secret", false), (true, "anna", "x", false),
            (true, "bert", "secret", false),
        ] {
            let value = AuthenticationCredentials.basic(user: user, password: password).headerValue
            let verdict = server.check([value], method: "X", uris: [], allowsBasic: allowed, now: 1)
            #expect(verdict == (isRight ? .authenticated(user: "anna") : .challenge(stale: false)))
        }
    }

    @Test("A-05: a proxy's credentials are nothing to the origin, whose realm is another")
    mutating func realms() throws {
        var proxy = client()
        let forProxy = try proxy.answer("DESCRIBE", "/cam1")
        var origin = AuthenticationServer(realm: "elsewhere", users: server.users, key: Array(0..<32))
        #expect(
            origin.check([forProxy], method: "DESCRIBE", uris: ["/cam1"], allowsBasic: false, now: Self.second)
                == .challenge(stale: false))
        #expect(check(forProxy) == .authenticated(user: "anna"))
    }
}
