// Callers that give up, and callees that were faster.

import AgentSupport
import RTPWire
import SIPCore
import Testing

@testable import SIPAgent

@Suite("CANCEL", .timeLimit(.minutes(1))) @AgentActor struct CancelTests {
    /// A caller's INVITE that a callee has got.
    private struct Ringing {
        let node: TestAgent
        let alice: TestPeer
        let bob: TestPeer
        let invite: SIPRequest
        let received: SIPRequest

        @AgentActor
        init() async throws {
            bob = try await TestPeer("bob", node: 0)
            node = try await TestAgent(to: [bob.udpPort])
            bob.node = node.udpPort
            alice = try await TestPeer("alice", node: node.udpPort)
            invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
            alice.send(.request(invite))
            received = try await bob.request(.invite)
        }

        @AgentActor
        func end() async throws {
            #expect(try await node.eventually { await node.agent.sessions().isEmpty })
            #expect(node.routes.reports.isEmpty)
            await node.stop()
        }
    }

    @Test("S-06: CANCEL after 180 gets 200, the INVITE 487, and the callee a CANCEL of the same branch")
    func afterRinging() async throws {
        let call = try await Ringing()
        call.bob.respond(.ringing, to: call.received)
        _ = try await call.alice.response(180)
        call.alice.send(.request(call.invite.cancellation()))
        _ = try await call.alice.response(200, to: .cancel)
        let refusal = try await call.alice.response(487)
        call.alice.send(.request(call.invite.acknowledgement(ofFailure: refusal)))
        let cancel = try await call.bob.request(.cancel)
        #expect(cancel.vias.first?.branch == call.received.vias.first?.branch)
        #expect(cancel.uri == call.received.uri)
        call.bob.respond(.ok, to: cancel)
        call.bob.respond(.requestTerminated, to: call.received)
        _ = try await call.bob.request(.ack)
        try await call.end()
    }

    @Test("S-06: no CANCEL goes to a callee before its first provisional response")
    func beforeProvisional() async throws {
        let call = try await Ringing()
        call.alice.send(.request(call.invite.cancellation()))
        _ = try await call.alice.response(487)
        #expect(call.bob.count("CANCEL") == 0)
        call.bob.respond(.trying, to: call.received)
        let cancel = try await call.bob.request(.cancel)
        call.bob.respond(.ok, to: cancel)
        call.bob.respond(.requestTerminated, to: call.received)
        _ = try await call.bob.request(.ack)
        try await call.end()
    }

    @Test("S-06: a 200 that crosses the CANCEL is acknowledged and ended with BYE")
    func crossingAnswer() async throws {
        let call = try await Ringing()
        call.bob.respond(.ringing, to: call.received)
        _ = try await call.alice.response(180)
        call.alice.send(.request(call.invite.cancellation()))
        _ = try await call.alice.response(487)
        let cancel = try await call.bob.request(.cancel)
        call.bob.respond(.ok, to: call.received, body: TestSDP.audio(host: 2))
        call.bob.respond(.ok, to: cancel)
        _ = try await call.bob.request(.ack)
        let bye = try await call.bob.request(.bye)
        call.bob.respond(.ok, to: bye)
        try await call.end()
    }

    @Test("S-06: a CANCEL after the answer gets 200 and changes nothing; one of nothing gets 481")
    func tooLate() async throws {
        let call = try await TestCall()
        call.caller.send(.request(call.invite.cancellation()))
        _ = try await call.caller.response(200, to: .cancel)
        var other = call.invite
        other.vias = [call.caller.via()]
        call.caller.send(.request(other.cancellation()))
        _ = try await call.caller.response(481, to: .cancel)
        call.a.send(.info)
        let info = try await call.callee.request(.info)
        call.callee.respond(.ok, to: info)
        _ = try await call.caller.response(200, to: .info)
        #expect(call.callee.count("CANCEL") == 0)
        await call.node.stop()
    }

    @Test("A callee that never answers a CANCEL does not keep the call")
    func noAnswerToCancel() async throws {
        let call = try await Ringing()
        call.bob.respond(.ringing, to: call.received)
        _ = try await call.alice.response(180)
        call.alice.send(.request(call.invite.cancellation()))
        _ = try await call.alice.response(487)
        _ = try await call.bob.request(.cancel)
        try await call.end()
    }
}
