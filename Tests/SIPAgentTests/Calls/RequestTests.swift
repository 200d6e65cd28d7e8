// Requests that make no call, and calls that cannot be made.

import AgentSupport
import RTPWire
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Requests", .timeLimit(.minutes(1))) @AgentActor struct RequestTests {
    @Test("S-28: OPTIONS is answered with what the node understands")
    func options() async throws {
        let node = try await TestAgent(to: [9])
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try alice.initial(.options, "sip:127.0.0.1")))
        let answer = try await alice.response(200, to: .options)
        #expect(answer.headers["Allow"]?.contains("UPDATE") == true)
        #expect(answer.headers["Accept"] == "application/sdp")
        #expect(answer.headers["Supported"] == "100rel, timer")
        await node.stop()
    }

    @Test(
        "S-07, S-11, S-20: what cannot be carried out gets its own answer",
        arguments: [
            (.invite, ["Require": "fire"], "sip:x@127.0.0.1", 420),
            (.invite, ["Max-Forwards": "0"], "sip:x@127.0.0.1", 483),
            (.invite, ["Content-Type": "text/plain"], "sip:x@127.0.0.1", 415),
            (.invite, [:], "urn:service:sos", 416),
            (.refer, [:], "sip:x@127.0.0.1", 405),
            (.subscribe, [:], "sip:x@127.0.0.1", 405),
            (.other("FLY"), [:], "sip:x@127.0.0.1", 501),
            (.bye, [:], "sip:x@127.0.0.1", 481),
        ] as [(SIPMethod, [String: String], String, UInt16)])
    func refusals(method: SIPMethod, headers: [String: String], uri: String, status: UInt16) async throws {
        let node = try await TestAgent(to: [9])
        let alice = try await TestPeer("alice", node: node.udpPort)
        var request = try alice.initial(method, uri, body: method == .invite ? TestSDP.audio(host: 1) : [])
        for (name, value) in headers { request.headers[name] = value }
        alice.send(.request(request))
        let answer = try await alice.outcome(of: method)
        #expect(answer.status.code == status)
        #expect(answer.to.tag != nil)
        await node.stop()
    }

    @Test("S-20: requests of an unknown dialog get 481, and nobody else's call is disturbed")
    func unknownDialog() async throws {
        let call = try await TestCall()
        let carol = try await TestPeer("carol", node: call.node.udpPort)
        for method in [SIPMethod.invite, .bye, .update, .info] {
            var request = try carol.initial(method, "sip:x@127.0.0.1")
            request.to.tag = "nobody"
            carol.send(.request(request))
            #expect(try await carol.outcome(of: method).status.code == 481)
        }
        for garbage in ["\u{0}\u{1}\u{2}", "INVITE sip:x SIP/2.0\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n", "\r\n\r\n"] {
            carol.send(Array(garbage.utf8))
        }
        call.a.send(.info)
        call.callee.respond(.ok, to: try await call.callee.request(.info))
        _ = try await call.caller.response(200, to: .info)
        await call.node.stop()
    }

    @Test("S-07: a call that comes back to the node gets 482")
    func loop() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort])
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try alice.initial(.invite, "sip:x@127.0.0.1:\(bob.udpPort)", body: TestSDP.audio(host: 1))))
        var received = try await bob.request(.invite)
        received.vias.insert(bob.via(), at: 0)
        bob.send(.request(received))
        _ = try await bob.response(482)
        await node.stop()
    }

    @Test("Nobody to call: 404 without a rule, and 503 where there is no room")
    func nobody() async throws {
        let empty = try await TestAgent(to: [])
        let alice = try await TestPeer("alice", node: empty.udpPort)
        alice.send(.request(try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))))
        _ = try await alice.response(404)
        await empty.stop()
        let full = try await TestAgent(to: [9]) { $0.limits.calls = 0 }
        let carol = try await TestPeer("carol", node: full.udpPort)
        carol.send(.request(try carol.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))))
        _ = try await carol.response(503)
        await full.stop()
    }

    @Test("A destination that nobody listens on, or that has no route, fails the call")
    func unreachable() async throws {
        let node = try await TestAgent(to: []) { configuration in
            let hop = DialTarget.nextHop(.init(uri: SIPURI(.sip, SIPHostPort(.address(.unspecified), 5060))))
            configuration.dialPlan = [DialRule(name: "all", targets: [hop])]
        }
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))))
        let answer = try await alice.outcome(of: .invite)
        #expect([500, 503].contains(answer.status.code))
        await node.stop()
    }

    @Test("S-08: the answer goes to where the request came from, with received and rport")
    func responseRouting() async throws {
        let node = try await TestAgent(to: [9])
        let alice = try await TestPeer("alice", node: node.udpPort)
        var request = try alice.initial(.options, "sip:127.0.0.1")
        request.vias[0].sentBy = SIPHostPort(.name("hidden.example"), 5999)
        request.vias[0].parameters.setFlag("rport")
        alice.send(.request(request))
        let answer = try await alice.response(200, to: .options)
        #expect(answer.vias.first?.rport == alice.udpPort)
        #expect(answer.vias.first?.received == TestPeer.loopback)
        await node.stop()
    }
}
