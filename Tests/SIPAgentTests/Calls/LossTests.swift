// Lost messages, and peers that say nothing.

import AgentSupport
import RTPWire
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Losses", .timeLimit(.minutes(1))) @AgentActor struct LossTests {
    @Test("S-01: an INVITE is sent seven times, then the caller gets 408")
    func silence() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort])
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))))
        _ = try await alice.response(100)
        _ = try await alice.response(408)
        #expect(bob.count("INVITE") == 7)
        #expect(try await node.eventually { await node.agent.sessions().isEmpty })
        await node.stop()
    }

    @Test("S-05: a repeated INVITE is answered again and makes no second call")
    func repeatedInvite() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort])
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        bob.respond(.ringing, to: received)
        let first = try await alice.response(180)
        alice.send(.request(invite))
        let second = try await alice.response(180)
        #expect(first == second)
        #expect(Set(bob.log).subtracting(["INVITE"]).isEmpty)
        #expect(await node.agent.sessions().count == 1)
        await node.stop()
    }

    @Test(
        "S-04, S-30: a 200 is repeated until its ACK comes, and a 200 of the callee that comes again is acknowledged again"
    )
    func lostAcknowledgements() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort])
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        let answer = bob.respond(.ok, to: received, body: TestSDP.audio(host: 2))
        let first = try await bob.request(.ack)
        bob.send(.response(answer))
        let second = try await bob.request(.ack)
        #expect(first == second)
        let ok = try await alice.response(200)
        let again = try await alice.response(200)
        #expect(ok == again)
        try alice.dialog(invite, ok).acknowledge(ok)
        #expect(await node.agent.sessions().count == 1)
        await node.stop()
    }

    @Test("S-04: without an ACK the call is ended with BYE on both sides")
    func neverAcknowledged() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort])
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))))
        let received = try await bob.request(.invite)
        bob.respond(.ok, to: received, body: TestSDP.audio(host: 2))
        let bye = try await alice.request(.bye)
        alice.respond(.ok, to: bye)
        bob.respond(.ok, to: try await bob.request(.bye))
        #expect(try await node.eventually { await node.agent.sessions().isEmpty })
        await node.stop()
    }

    @Test("S-02: 100 comes within 200 ms with no tag, and the callee's 100 is not passed on")
    func trying() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort])
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))))
        bob.respond(.trying, to: try await bob.request(.invite))
        let trying = try await alice.response(100)
        #expect(trying.to.tag == nil)
        #expect(alice.count("100 INVITE") == 1)
        await node.stop()
    }
}
