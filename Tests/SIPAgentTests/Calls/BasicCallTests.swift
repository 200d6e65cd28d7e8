// Calls from INVITE to BYE.

import AgentSupport
import RTPWire
import SDP
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Basic calls", .timeLimit(.minutes(1))) @AgentActor struct BasicCallTests {
    @Test("INVITE, 180, 200, ACK and BYE of the caller: two dialogs, and the call leaves nothing")
    func callerHangsUp() async throws {
        let call = try await TestCall()
        let (invite, answer) = (call.received, call.answer)
        #expect(invite.callID != call.invite.callID)
        #expect(invite.from.tag != call.invite.from.tag)
        #expect(invite.headers.maxForwards == 69)
        #expect(invite.vias.count == 1)
        #expect(answer.to.tag != call.callee.tag)
        #expect(answer.headers.contact?.uri.place?.transportPort == call.node.udpPort)
        call.a.send(.bye)
        let bye = try await call.callee.request(.bye)
        #expect(bye.callID == invite.callID)
        call.callee.respond(.ok, to: bye)
        _ = try await call.caller.response(200, to: .bye)
        #expect(try await call.node.eventually { await call.node.agent.sessions().isEmpty })
        #expect(call.node.routes.reports.isEmpty)
        await call.node.stop()
    }

    @Test("S-30: BYE of the callee ends the caller's side")
    func calleeHangsUp() async throws {
        let call = try await TestCall()
        call.b.send(.bye, headers: ["Reason": "SIP;cause=200"])
        let bye = try await call.caller.request(.bye)
        #expect(bye.headers["Reason"] == "SIP;cause=200")
        call.caller.respond(.ok, to: bye)
        _ = try await call.callee.response(200, to: .bye)
        #expect(try await call.node.eventually { await call.node.agent.sessions().isEmpty })
        await call.node.stop()
    }

    @Test("S-30: BYEs that cross are both answered with 200")
    func crossingByes() async throws {
        let call = try await TestCall()
        call.a.send(.bye)
        call.b.send(.bye)
        _ = try await call.caller.response(200, to: .bye)
        _ = try await call.callee.response(200, to: .bye)
        await call.node.stop()
    }

    @Test("A call for which no flow is left: BYE to the callee, and 503 to the caller, with the reason and Retry-After")
    func full() async throws {
        let callee = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [callee.udpPort])
        callee.node = node.udpPort
        node.routes.isFull = true
        let alice = try await TestPeer("alice", node: node.udpPort)
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        let received = try await callee.request(.invite)
        callee.respond(.ok, to: received, body: TestSDP.audio(host: 2))
        _ = try await callee.request(.ack)
        let bye = try await callee.request(.bye)
        callee.respond(.ok, to: bye)
        let refusal = try await alice.response(503)
        #expect(refusal.headers["Retry-After"] == "10")
        #expect(refusal.headers["Warning"]?.contains("flow table: all flows are in use") == true)
        alice.send(.request(invite.acknowledgement(ofFailure: refusal)))
        #expect(try await node.eventually { await node.agent.sessions().isEmpty })
        #expect(await node.counter("sip_failed_calls_total", ["status": "503"]) == 1)
        node.routes.isFull = false
        alice.callID = "another"
        let again = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(again))
        let next = try await callee.request(.invite)
        callee.respond(.ok, to: next, body: TestSDP.audio(host: 2))
        _ = try await alice.response(200)
        await node.stop()
    }

    @Test("A failure of the callee is the caller's")
    func busy() async throws {
        let callee = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [callee.udpPort])
        callee.node = node.udpPort
        let bob = callee
        let alice = try await TestPeer("alice", node: node.udpPort)
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        bob.respond(.busyHere, to: received, headers: ["Retry-After": "7"])
        let ack = try await bob.request(.ack)
        #expect(ack.vias.first?.branch == received.vias.first?.branch)
        let refusal = try await alice.response(486)
        #expect(refusal.headers["Retry-After"] == "7")
        alice.send(.request(invite.acknowledgement(ofFailure: refusal)))
        #expect(try await node.eventually { await node.agent.sessions().isEmpty })
        await node.stop()
    }
}
