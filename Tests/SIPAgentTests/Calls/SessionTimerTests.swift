// Sessions that must be refreshed.

import AgentSupport
import RTPWire
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Session timers", .timeLimit(.minutes(1))) @AgentActor struct SessionTimerTests {
    @Test("S-27: an interval below the least is refused with 422 and Min-SE")
    func tooSmall() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort]) { $0.sessionTimer = .init(interval: 1800, minimum: 120) }
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(
            .request(
                try alice.initial(
                    .invite, "sip:bob@127.0.0.1", headers: ["Supported": "timer", "Session-Expires": "100"],
                    body: TestSDP.audio(host: 1))))
        let refusal = try await alice.response(422)
        #expect(refusal.headers["Min-SE"] == "120")
        #expect(bob.log.isEmpty)
        await node.stop()
    }

    @Test("S-27: a callee's 422 is answered by the same INVITE with its Min-SE")
    func repeated() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort]) { $0.sessionTimer = .init(interval: 300, minimum: 90) }
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))))
        let first = try await bob.request(.invite)
        #expect(first.headers["Session-Expires"] == "300")
        bob.respond(.sessionIntervalTooSmall, to: first, headers: ["Min-SE": "900"])
        let second = try await bob.request(.invite)
        #expect(second.headers["Session-Expires"] == "900")
        #expect(second.headers["Min-SE"] == "900")
        bob.respond(
            .ok, to: second, headers: ["Session-Expires": "900;refresher=uas", "Require": "timer"],
            body: TestSDP.audio(host: 2))
        let answer = try await alice.response(200)
        // A caller that knows no timers is refreshed by the node.
        #expect(answer.headers["Session-Expires"]?.hasSuffix("refresher=uas") == true)
        await node.stop()
    }

    @Test(
        "S-27: the node refreshes by UPDATE where the peer takes it, and by INVITE with the same description elsewhere")
    func refreshes() async throws {
        let call = try await TestCall { $0.sessionTimer = .init(interval: 1800, minimum: 90) }
        let sides = try #require(call.node.agent.call(named: "sip-1"))
        await sides.refresh(try #require(sides.callee))
        let update = try await call.callee.request(.update)
        #expect(update.body.isEmpty)
        #expect(update.headers["Session-Expires"] != nil)
        call.callee.respond(.ok, to: update)
        await sides.refresh(sides.caller)
        let invite = try await call.caller.request(.invite)
        #expect(invite.body == call.answer.body)
        call.caller.respond(.ok, to: invite, body: TestSDP.audio(host: 1))
        _ = try await call.caller.request(.ack)
        await call.node.stop()
    }

    @Test("S-27: a session that nobody refreshes is ended with BYE on both sides")
    func expiry() async throws {
        let call = try await TestCall { $0.sessionTimer = .init(interval: 1800, minimum: 90) }
        let sides = try #require(call.node.agent.call(named: "sip-1"))
        sides.post(.tick(MonotonicClock.now + 1800 * 1_000_000_000))
        _ = try await call.caller.request(.bye)
        _ = try await call.callee.request(.bye)
        #expect(try await call.node.eventually { await call.node.agent.sessions().isEmpty })
        await call.node.stop()
    }
}
