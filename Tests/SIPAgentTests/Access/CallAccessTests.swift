// Who may call, from where, and what strangers are told.

import AgentSupport
import Authentication
import Foundation
import RTPWire
import SIPCore
import Sessions
import TestSupport
import Testing

@testable import SIPAgent

@AgentActor
@Suite struct CallAccessTests {
    private static let inside = IPAddress(10, 1, 0, 7)
    private static let outside = IPAddress(192, 0, 2, 7)
    private static let second: UInt64 = 1_000_000_000

    private static func configuration(_ change: (inout SIPConfiguration) -> Void = { _ in }) -> SIPConfiguration {
        var configuration = SIPConfiguration()
        configuration.allowedNetworks = [IPNetwork(containing: IPAddress(10, 1, 0, 0), prefixLength: 16)!]
        configuration.dialPlan = [DialRule(name: "in", user: .exact("desk"), targets: [target])]
        change(&configuration)
        return configuration
    }

    private static let target = DialTarget.nextHop(
        .init(uri: SIPURI(.sip, SIPHostPort(.address(IPAddress(10, 2, 0, 5))))))

    /// A file of users with anna and ben, removed with the test.
    private static func withUsers<Result>(_ body: (String) throws -> Result) throws -> Result {
        let path = FileManager.default.temporaryDirectory.appending(path: "crosspoint-users-\(UUID().uuidString)").path
        var users = UserDatabase()
        for name in ["anna", "ben"] { try users.set(user: name, realm: "crosspoint", password: "secret") }
        try UserFile.save(users, to: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    private static func invite(_ user: String = "desk", _ method: SIPMethod = .invite, agent: String? = nil) throws
        -> SIPRequest
    {
        var headers = SIPHeaders()
        headers["User-Agent"] = agent
        return SIPRequest(
            method, try SIPURI("sip:\(user)@10.1.0.1"), from: try NameAddress("<sip:a@b.example>;tag=1"),
            to: try NameAddress("<sip:\(user)@10.1.0.1>"), callID: "c", sequence: 1, headers: headers)
    }

    /// The status of a refusal; 0 for a call, -1 for silence.
    private static func status(_ admission: CallAdmission) -> Int {
        switch admission {
        case .call: 0
        case .drop: -1
        case .refuse(let refusal, _): Int(refusal.status.code)
        }
    }

    private static func refusals(_ counters: AccessCounters) -> [String: Double] {
        Dictionary(
            counters.report().filter { $0.name == "sip_refusals_total" }.map { ($0.labels["reason"] ?? "", $0.value) },
            uniquingKeysWith: +)
    }

    @Test("Allowed networks call without authentication; what no rule is for is 404")
    func allowed() throws {
        let counters = AccessCounters()
        let access = try CallAccess(configuration: Self.configuration(), counters: counters)
        guard case .call(let decision, let user) = access.admit(try Self.invite(), from: Self.inside, now: 1) else {
            Issue.record("refused")
            return
        }
        #expect(decision.rule == "in")
        #expect(user == nil)
        #expect(Self.status(access.admit(try Self.invite("nobody"), from: Self.inside, now: 1)) == 404)
        #expect(Self.refusals(counters) == ["destination": 1])
    }

    @Test("Strangers get one answer, after a pause, whether what they called is there or not; then none")
    func strangers() throws {
        let counters = AccessCounters()
        let access = try CallAccess(configuration: Self.configuration(), counters: counters)
        let known = access.admit(try Self.invite(), from: Self.outside, now: Self.second)
        #expect(known == access.admit(try Self.invite("nobody"), from: Self.outside, now: Self.second))
        #expect(known == .refuse(SIPRefusal(.forbidden), after: .seconds(2)))
        #expect(access.screen(try Self.invite("x", .options), from: Self.outside, now: Self.second) == .drop)
        for _ in 0..<8 { _ = access.admit(try Self.invite(), from: Self.outside, now: Self.second) }
        #expect(access.screen(try Self.invite(), from: Self.outside, now: Self.second) == .drop)
        #expect(Self.refusals(counters)["blocked"] == 1)
        // Others are not touched by it, and after a while the source is heard again.
        #expect(access.screen(try Self.invite(), from: Self.inside, now: Self.second) == .proceed)
        #expect(access.screen(try Self.invite(), from: Self.outside, now: 3 * Self.second) == .proceed)
    }

    @Test("More strangers than can wait for an answer get none")
    func pauses() throws {
        let access = try CallAccess(configuration: Self.configuration(), counters: AccessCounters())
        let answers = try (0..<100).map { number in
            Self.status(access.admit(try Self.invite(), from: IPAddress(192, 0, 2, UInt8(number)), now: Self.second))
        }
        #expect(answers.count { $0 == 403 } == 50)
        #expect(answers.count { $0 == -1 } == 50)
    }

    @Test("With users, strangers are challenged with 407 for whatever they call, and call when they authenticate")
    func users() throws {
        try Self.withUsers { path in
            let counters = AccessCounters()
            let access = try CallAccess(
                configuration: Self.configuration { $0.usersFile = path }, counters: counters)
            for user in ["desk", "nobody"] {
                #expect(Self.status(access.admit(try Self.invite(user), from: Self.outside, now: 1)) == 407)
            }
            #expect(try Self.call(access, "desk", as: "anna", "secret", now: 1) == .user("anna"))
            #expect(try Self.call(access, "nobody", as: "anna", "secret", now: 1) == .refused(404))
            #expect(try Self.call(access, "desk", as: "anna", "guess", now: 1) == .refused(407))
            #expect(Self.refusals(counters)["authentication"] ?? 0 >= 5)
        }
    }

    @Test("A redirected call goes where its caller may call without being asked once more")
    func redirect() throws {
        try Self.withUsers { path in
            let access = try CallAccess(
                configuration: Self.configuration { configuration in
                    configuration.usersFile = path
                    configuration.dialPlan += [
                        DialRule(name: "ben", user: .exact("ben"), permission: .users(["ben"]), targets: [Self.target]),
                        DialRule(name: "any", user: .exact("any"), permission: .anyUser, targets: [Self.target]),
                        DialRule(name: "open", user: .exact("open"), permission: .anyone, targets: [Self.target]),
                    ]
                }, counters: AccessCounters())
            @AgentActor func rules(_ source: IPAddress, _ user: String?) throws -> [String] {
                try ["desk", "ben", "any", "open", "nobody"].compactMap { name in
                    access.redirect(to: try SIPURI("sip:\(name)@10.1.0.1"), from: source, user: user)?.rule
                }
            }
            #expect(try rules(Self.inside, nil) == ["in", "open"])
            #expect(try rules(Self.outside, nil) == ["open"])
            #expect(try rules(Self.outside, "anna") == ["in", "any", "open"])
            #expect(try rules(Self.outside, "ben") == ["in", "ben", "any", "open"])
        }
    }

    @Test("Challenges are offered in the order of the configuration, and what is not offered is not accepted")
    func algorithms() throws {
        try Self.withUsers { path in
            for order in [[DigestAlgorithm.sha256, .md5], [.md5, .sha256], [.sha256]] {
                let access = try CallAccess(
                    configuration: Self.configuration {
                        $0.usersFile = path
                        $0.algorithms = order
                    }, counters: AccessCounters())
                let offered = try Self.challenges(access)
                #expect(offered.map { value in order.first { value.contains("algorithm=\($0.rawValue)") } } == order)
                #expect(try Self.call(access, "desk", as: "anna", "secret", now: 1) == .user("anna"))
                // A device that knows nothing but MD5 (RFC 8760 section 2.4).
                let weak = try Self.call(access, "desk", as: "anna", "secret", now: 1, only: .md5)
                #expect(weak == (order.contains(.md5) ? .user("anna") : .refused(407)))
                // A reload changes it.
                var other = access.configuration
                other.algorithms = [.md5]
                try access.reload(other)
                #expect(try Self.challenges(access).count == 1)
            }
        }
    }

    /// The challenges to a call from outside.
    private static func challenges(_ access: CallAccess) throws -> [String] {
        guard case .refuse(let refusal, _) = access.admit(try invite(), from: outside, now: 1) else { return [] }
        return refusal.headers.all("Proxy-Authenticate")
    }

    @Test("Who guesses passwords is not answered any more; who knows one is forgiven")
    func guessing() throws {
        try Self.withUsers { path in
            let access = try CallAccess(
                configuration: Self.configuration { $0.usersFile = path }, counters: AccessCounters())
            for _ in 0..<5 { _ = try Self.call(access, "desk", as: "anna", "guess", now: Self.second) }
            #expect(access.screen(try Self.invite(), from: Self.outside, now: Self.second) == .proceed)
            _ = try Self.call(access, "desk", as: "anna", "secret", now: Self.second)
            for _ in 0..<5 { _ = try Self.call(access, "desk", as: "anna", "guess", now: Self.second) }
            #expect(access.screen(try Self.invite(), from: Self.outside, now: Self.second) == .proceed)
            for _ in 0..<5 { _ = try Self.call(access, "desk", as: "anna", "guess", now: Self.second) }
            #expect(access.screen(try Self.invite(), from: Self.outside, now: Self.second) == .drop)
        }
    }

    @Test("A rule's permission holds for allowed networks, too")
    func permissions() throws {
        try Self.withUsers { path in
            let access = try CallAccess(
                configuration: Self.configuration { configuration in
                    configuration.usersFile = path
                    configuration.dialPlan = [
                        DialRule(name: "ben", user: .exact("ben"), permission: .users(["ben"]), targets: [Self.target]),
                        DialRule(name: "any", user: .exact("any"), permission: .anyUser, targets: [Self.target]),
                        DialRule(name: "open", user: .exact("open"), permission: .anyone, targets: [Self.target]),
                    ]
                }, counters: AccessCounters())
            #expect(Self.status(access.admit(try Self.invite("ben"), from: Self.inside, now: 1)) == 407)
            #expect(Self.status(access.admit(try Self.invite("any"), from: Self.inside, now: 1)) == 407)
            #expect(Self.status(access.admit(try Self.invite("open"), from: Self.outside, now: 1)) == 0)
            #expect(try Self.call(access, "ben", as: "ben", "secret", now: 1) == .user("ben"))
            #expect(try Self.call(access, "ben", as: "anna", "secret", now: 1) == .refused(403))
            #expect(try Self.call(access, "any", as: "anna", "secret", now: 1) == .user("anna"))
        }
    }

    @Test(
        "Scanners are not answered, operators' tools from inside are; too many requests are refused inside and dropped outside"
    )
    func screening() throws {
        let counters = AccessCounters()
        let access = try CallAccess(
            configuration: Self.configuration {
                $0.limits.requestsPerSecond = 1
                $0.limits.burst = 3
            }, counters: counters)
        let scan = try Self.invite("100", .options, agent: "friendly-scanner")
        #expect(access.screen(scan, from: Self.outside, now: Self.second) == .drop)
        #expect(access.screen(scan, from: Self.inside, now: Self.second) == .proceed)
        for _ in 0..<2 {
            #expect(access.screen(try Self.invite(), from: Self.inside, now: Self.second) == .proceed)
        }
        guard case .answer(let refusal, _) = access.screen(try Self.invite(), from: Self.inside, now: Self.second)
        else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.status.code == 503)
        for _ in 0..<3 {
            #expect(access.screen(try Self.invite(), from: Self.outside, now: Self.second) == .proceed)
        }
        #expect(access.screen(try Self.invite(), from: Self.outside, now: Self.second) == .drop)
        #expect(Self.refusals(counters) == ["scanner": 1, "rate": 2])
        #expect(access.screen(try Self.invite(), from: Self.outside, now: 2 * Self.second) == .proceed)
    }

    @Test(
        "Media goes to the networks that are named, else to allowed ones and to who signals; never to groups or hosts of this node"
    )
    func media() throws {
        let access = try CallAccess(configuration: Self.configuration(), counters: AccessCounters())
        #expect(access.mayCarryMedia(with: Self.outside, peer: Self.outside, isTrusted: false))
        #expect(!access.mayCarryMedia(with: IPAddress(10, 1, 9, 9), peer: Self.outside, isTrusted: false))
        #expect(access.mayCarryMedia(with: IPAddress(10, 1, 9, 9), peer: Self.outside, isTrusted: true))
        #expect(!access.mayCarryMedia(with: IPAddress(192, 0, 2, 8), peer: Self.outside, isTrusted: true))
        let named = try CallAccess(
            configuration: Self.configuration {
                $0.mediaNetworks = [IPNetwork(containing: IPAddress(10, 5, 0, 0), prefixLength: 16)!]
            }, counters: AccessCounters())
        #expect(named.mayCarryMedia(with: IPAddress(10, 5, 0, 1), peer: Self.inside, isTrusted: true))
        #expect(!named.mayCarryMedia(with: Self.inside, peer: Self.inside, isTrusted: true))
        for text in ["239.1.1.1", "127.0.0.1", "0.0.0.0", "255.255.255.255", "::1", "ff3e::1"] {
            let address = try #require(IPAddress(text))
            #expect(!access.mayCarryMedia(with: address, peer: address, isTrusted: true), "\(text)")
        }
    }

    @Test("A reload takes all of a configuration or nothing")
    func reload() throws {
        let access = try CallAccess(configuration: Self.configuration(), counters: AccessCounters())
        var other = Self.configuration()
        other.allowedNetworks = []
        other.usersFile = "/nonexistent/users"
        #expect(throws: (any Error).self) { try access.reload(other) }
        #expect(Self.status(access.admit(try Self.invite(), from: Self.inside, now: 1)) == 0)
        other.usersFile = nil
        try access.reload(other)
        #expect(Self.status(access.admit(try Self.invite(), from: Self.inside, now: 1)) == 403)
    }

    private enum Outcome: Equatable {
        case user(String?)
        case refused(Int)
    }

    /// Calls from outside, with the credentials that the challenge asks for.
    private static func call(
        _ access: CallAccess, _ called: String, as user: String, _ password: String, now: UInt64,
        only algorithm: DigestAlgorithm? = nil
    ) throws -> Outcome {
        var request = try invite(called)
        var client = SIPAuthenticationClient(user: user, password: password)
        var generator = SeededGenerator(seed: 3)
        if case .refuse(var refusal, _) = access.admit(request, from: outside, now: now), refusal.status.code == 407 {
            if let algorithm {
                // As if it were the only one that the client understands: another server's challenge where it is not offered.
                let values = refusal.headers.all("Proxy-Authenticate")
                let known = values.filter { $0.contains("algorithm=\(algorithm.rawValue)") }
                let others = values.map { $0.replacingOccurrences(of: "SHA-256", with: algorithm.rawValue) }
                refusal.headers.set("Proxy-Authenticate", known.isEmpty ? others : known)
            }
            let again = client.retry(
                request, after: refusal.response(to: request, tag: "t"),
                via: Via(.udp, SIPHostPort(.address(outside)), branch: "z9hG4bKx"), using: &generator)
            request = try #require(again)
        }
        switch access.admit(request, from: outside, now: now) {
        case .call(_, let user): return .user(user)
        case .refuse(let refusal, _): return .refused(Int(refusal.status.code))
        case .drop: return .refused(-1)
        }
    }

    @Test(
        "What a peer names is reached where it is the peer's own, or in a network that is let in; never the node, never a group"
    )
    func reach() throws {
        let access = try CallAccess(
            configuration: Self.configuration {
                $0.registrar = RegistrarConfiguration(
                    allowedNetworks: [IPNetwork(containing: IPAddress(10, 7, 0, 0), prefixLength: 16)!])
            }, counters: AccessCounters())
        access.isOwn = { $0 == IPAddress(10, 1, 0, 1) }
        #expect(access.mayReach(Self.outside, for: Self.outside))
        #expect(access.mayReach(Self.inside, for: Self.outside))
        #expect(access.mayReach(IPAddress(10, 7, 0, 5), for: Self.outside))
        #expect(!access.mayReach(Self.outside, for: Self.inside))
        #expect(!access.mayReach(IPAddress(127, 0, 0, 1), for: Self.inside))
        #expect(!access.mayReach(IPAddress(10, 1, 0, 1), for: Self.inside))
        #expect(!access.mayReach(IPAddress(239, 1, 1, 1), for: Self.inside))
    }
}
