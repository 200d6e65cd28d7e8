// Callees that hang up before they have answered.

import AgentSupport
import RTPWire
import SIPCore
import Testing

@testable import SIPAgent

@Suite("BYE in an early dialog", .timeLimit(.minutes(1))) @AgentActor struct EarlyByeTests {
    /// What a callee does after its BYE.
    enum Sequel: CaseIterable, Sendable {
        case silence, answer, failure
    }

    private func peers(
        then others: [UInt16] = []
    ) async throws -> (TestAgent, alice: TestPeer, bob: TestPeer, invite: SIPRequest, received: SIPRequest) {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort] + others)
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        let invite = try alice.initial(
            .invite, "sip:bob@127.0.0.1", headers: ["Supported": "100rel"], body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        return (node, alice, bob, invite, try await bob.request(.invite))
    }

    /// Waits until nothing is left of any call.
    private func end(_ node: TestAgent) async throws {
        #expect(try await node.eventually { await node.counter("sip_calls") == 0 })
        #expect(try await node.eventually { node.routes.reports.isEmpty })
        await node.stop()
    }

    @Test(
        "The caller gets 480 and the call ends, whatever the callee says next, and however it has said that it is there",
        arguments: Sequel.allCases, [false, true])
    func ends(sequel: Sequel, isReliable: Bool) async throws {
        let (node, alice, bob, _, received) = try await peers()
        bob.respond(
            .sessionProgress, to: received, headers: isReliable ? ["Require": "100rel", "RSeq": "1"] : [:],
            body: TestSDP.audio(host: 2))
        _ = try await alice.response(183)
        try bob.dialog(answering: received).send(.bye)
        _ = try await bob.response(200, to: .bye)
        _ = try await alice.response(480)
        switch sequel {
        case .silence: _ = try await bob.request(.cancel)
        case .answer:
            bob.respond(.ok, to: received, body: TestSDP.audio(host: 2))
            _ = try await bob.request(.ack)
        case .failure:
            bob.respond(.serverInternalError, to: received)
            _ = try await bob.request(.ack)
        }
        try await end(node)
    }

    @Test("The next destination is called")
    func next() async throws {
        let carol = try await TestPeer("carol", node: 0)
        let (node, alice, bob, invite, received) = try await peers(then: [carol.udpPort])
        carol.node = node.udpPort
        bob.respond(.ringing, to: received)
        _ = try await alice.response(180)
        try bob.dialog(answering: received).send(.bye)
        carol.respond(.ok, to: try await carol.request(.invite), body: TestSDP.audio(host: 3))
        let answer = try await alice.response(200)
        let dialog = try alice.dialog(invite, answer)
        dialog.acknowledge(answer)
        dialog.send(.bye)
        carol.respond(.ok, to: try await carol.request(.bye))
        try await end(node)
    }

    @Test("Another fork of the destination goes on ringing, and its answer counts")
    func fork() async throws {
        let (node, alice, bob, invite, received) = try await peers()
        bob.respond(.ringing, to: received, tag: "one")
        bob.respond(.ringing, to: received, tag: "two")
        _ = try await alice.response(180)
        _ = try await alice.response(180)
        try bob.dialog(answering: received, tag: "one").send(.bye)
        _ = try await bob.response(200, to: .bye)
        bob.respond(.ok, to: received, tag: "two", body: TestSDP.audio(host: 2))
        let answer = try await alice.response(200)
        let dialog = try alice.dialog(invite, answer)
        dialog.acknowledge(answer)
        #expect(bob.count("CANCEL") == 0)
        dialog.send(.bye)
        bob.respond(.ok, to: try await bob.request(.bye))
        try await end(node)
    }

    @Test("A caller that gives up while the callee says nothing leaves nothing behind")
    func abandoned() async throws {
        let (node, alice, bob, invite, received) = try await peers()
        bob.respond(.ringing, to: received)
        _ = try await alice.response(180)
        alice.send(.request(invite.cancellation()))
        _ = try await alice.response(487)
        _ = try await bob.request(.cancel)
        try await end(node)
    }

    @Test("Requests faster than a call serves them are answered all the same")
    func flood() async throws {
        let call = try await TestCall { $0.limits.callsPerSource = 2048 }
        for _ in 0..<600 { call.b.send(.options) }
        #expect(
            try await call.node.eventually {
                call.callee.count("200 OPTIONS") + call.callee.count("503 OPTIONS") >= 300
            })
        call.a.send(.bye)
        call.callee.respond(.ok, to: try await call.callee.request(.bye))
        try await end(call.node)
        #expect(call.node.agent.transactionsWithoutAnswer == 0)
    }
}
