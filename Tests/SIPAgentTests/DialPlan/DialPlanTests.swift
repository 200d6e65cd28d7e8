// The dial plan as tables: what is called, and who is reached.

import RTPWire
import Routing
import SIPCore
import Testing

@testable import SIPAgent

@Suite struct DialPlanTests {
    private static func rule(
        _ name: String, user: DialPattern? = nil, host: DialPattern? = nil, from: [String] = [],
        to targets: [String] = ["sip:10.2.0.5"], rewriteUser: String? = nil, rewriteHost: String? = nil
    ) throws -> DialRule {
        DialRule(
            name: name, user: user, host: host, sources: try from.map { try #require(IPNetwork($0)) },
            targets: try targets.map { try DialTarget($0) }, rewriteUser: rewriteUser, rewriteHost: rewriteHost)
    }

    private func decide(_ rules: [DialRule], _ uri: String, from source: String = "10.1.0.7") throws -> DialDecision? {
        try DialPlan(rules).decide(try SIPURI(uri), from: try #require(IPAddress(source)))
    }

    /// The Request-URI of the only next hop, and where it is sent if that is elsewhere.
    private func call(_ rules: [DialRule], _ uri: String) throws -> String? {
        guard case .nextHop(let hop)? = try decide(rules, uri)?.targets.first else { return nil }
        let request = hop.requestURI.description
        return hop.destination == hop.requestURI ? request : "\(request) by \(hop.destination)"
    }

    @Test("The first rule whose user, host and source match has the call")
    func order() throws {
        let rules = [
            try Self.rule("one", user: .exact("studio1")),
            try Self.rule("numbers", user: .expression(#"\d{3}"#), from: ["10.1.0.0/16"]),
            try Self.rule("out", user: .prefix("00")),
            try Self.rule("domain", host: .exact("studio.example")),
            try Self.rule("six", host: .expression("2001:db8:.*")),
            try Self.rule("rest", from: ["2001:db8::/32"]),
        ]
        let table: [(uri: String, source: String, rule: String?)] = [
            ("sip:studio1@10.1.0.1", "10.1.0.7", "one"),
            ("sip:Studio1@10.1.0.1", "10.1.0.7", nil),
            ("sip:studio%31@10.1.0.1", "10.1.0.7", "one"),
            ("sip:123@10.1.0.1", "10.1.0.7", "numbers"),
            ("sip:123@10.1.0.1", "10.9.0.7", nil),
            ("sip:1234@10.1.0.1", "10.1.0.7", nil),
            ("sip:00123@x.example", "10.1.0.7", "out"),
            ("tel:001-23", "10.1.0.7", "out"),
            ("sip:anybody@STUDIO.example:5070", "10.1.0.7", "domain"),
            ("sip:studio.example", "10.1.0.7", "domain"),
            ("sip:x@[2001:db8::1]", "10.1.0.7", "six"),
            ("sip:x@y.example", "2001:db8::9", "rest"),
            ("sip:x@y.example", "10.1.0.7", nil),
        ]
        for row in table {
            #expect(try decide(rules, row.uri, from: row.source)?.rule == row.rule, "\(row.uri) from \(row.source)")
        }
    }

    @Test("The called user goes to the target's host, unless the target or the rule names others")
    func rewriting() throws {
        let table: [(rule: DialRule, uri: String, result: String)] = [
            (try Self.rule("a"), "sip:bob@10.1.0.1", "sip:bob@10.2.0.5"),
            (
                try Self.rule("b", to: ["sip:desk@10.2.0.5:5070;transport=tcp"]), "sip:bob@10.1.0.1",
                "sip:desk@10.2.0.5:5070;transport=tcp"
            ),
            (
                try Self.rule("c", user: .expression(#"studio(\d+)(-b)?"#), rewriteUser: "9$1$2"), "sip:studio12@h",
                "sip:912@10.2.0.5"
            ),
            (try Self.rule("d", user: .prefix("00"), rewriteUser: "+$1"), "sip:004930@h", "sip:+4930@10.2.0.5"),
            (try Self.rule("e", rewriteUser: "$user-$host$$"), "sip:a@h.example", "sip:a-h.example$@10.2.0.5"),
            (
                try Self.rule("f", to: ["sip:10.2.0.5;lr"], rewriteHost: "$host"), "sip:bob@far.example:5080",
                "sip:bob@far.example by sip:10.2.0.5;lr"
            ),
            (
                try Self.rule("g", host: .expression(#"(\w+)\.example"#), rewriteHost: "$1.studio:5062"),
                "sip:bob@far.example",
                "sip:bob@far.studio:5062 by sip:10.2.0.5"
            ),
            (
                try Self.rule("h", rewriteHost: "$host"), "sip:bob@[2001:db8::1]",
                "sip:bob@[2001:db8::1] by sip:10.2.0.5"
            ),
            (try Self.rule("i", rewriteUser: "a b".replacing(" ", with: "%")), "sip:bob@h", "sip:a%25b@10.2.0.5"),
            (try Self.rule("j"), "tel:+4930-123", "sip:+4930-123@10.2.0.5;user=phone"),
            (try Self.rule("k"), "sips:bob@10.1.0.1", "sips:bob@10.2.0.5"),
            (try Self.rule("l"), "sip:h.example", "sip:10.2.0.5"),
        ]
        for row in table { #expect(try call([row.rule], row.uri) == row.result, "\(row.rule.name)") }
    }

    @Test(
        "Registered devices are looked for under the rewritten name; without a user, or with a host that is none, nobody is called"
    )
    func registered() throws {
        let rule = try Self.rule("r", to: ["registered", "sip:10.2.0.9"], rewriteUser: "$user.studio")
        let decision = try #require(try decide([rule], "sip:one@10.1.0.1"))
        #expect(decision.targets.first == .registered(try SIPURI("sip:one.studio@10.1.0.1")))
        #expect(decision.targets.count == 2)
        #expect(try decide([try Self.rule("r", to: ["registered"])], "sip:10.1.0.1") == nil)
        #expect(try decide([try Self.rule("r", rewriteHost: "$user")], "sip:a%20b@10.1.0.1") == nil)
    }

    @Test("A user that is longer than any name is matched by no pattern")
    func length() throws {
        let rules = [try Self.rule("all", user: .expression(".*"))]
        #expect(try decide(rules, "sip:\(String(repeating: "a", count: 255))@h") != nil)
        #expect(try decide(rules, "sip:\(String(repeating: "a", count: 256))@h") == nil)
    }

    @Test("What cannot be a rule is refused with the rule's name")
    func refusals() throws {
        let rules = [
            try Self.rule("bad", user: .expression("(")), try Self.rule("bad", user: .exact("")),
            try Self.rule("bad", user: .exact("a"), rewriteUser: "$1"),
            try Self.rule("bad", user: .expression("(a)(b)"), rewriteUser: "$3"),
            try Self.rule("bad", rewriteHost: "$1"), try Self.rule("bad", rewriteUser: "$x"),
            try Self.rule("bad", rewriteUser: ""), try Self.rule("bad", rewriteUser: "a b"),
        ]
        for rule in rules {
            let error = try #require(throws: SpecificationError.self) { _ = try DialPlan([rule]) }
            #expect(error.description.contains("bad"), "\(error)")
        }
        for text in ["tel:123", "10.2.0.5", "sip:a:b@10.2.0.5", "sip:10.2.0.5?x=y", "sip:10.2.0.5;transport=sctp"] {
            let error = try #require(throws: SpecificationError.self) { _ = try DialTarget(text) }
            #expect(!error.description.contains("a:b"), "\(error)")
        }
    }
}
