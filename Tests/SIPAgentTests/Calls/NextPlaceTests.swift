// Next hops that are several places (RFC 3263 section 4.3).

import AgentSupport
import RTPWire
import SDP
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Next places", .timeLimit(.minutes(1))) @AgentActor struct NextPlaceTests {
    /// A node that calls studio.test for everything: bob's place first, then carol's.
    private func peers() async throws -> (node: TestAgent, alice: TestPeer, bob: TestPeer, carol: TestPeer) {
        let bob = try await TestPeer("bob", node: 0)
        let carol = try await TestPeer("carol", node: 0)
        let records = [(bob, UInt16(1)), (carol, 2)].map { peer, priority in
            ServiceRecord(priority: priority, weight: 0, transportPort: peer.udpPort, target: "host.test")
        }
        let uri = try SIPURI("sip:studio.test")
        let node = try await TestAgent(
            to: [], names: TableNames(services: ["_sip._udp.studio.test": records], hosts: ["host.test": ["127.0.0.1"]])
        ) { $0.dialPlan = [DialRule(name: "all", targets: [.nextHop(.init(uri: uri))])] }
        bob.node = node.udpPort
        carol.node = node.udpPort
        return (node, try await TestPeer("alice", node: node.udpPort), bob, carol)
    }

    /// The call reaches carol with an offer of its own, who takes it.
    private func answer(at carol: TestPeer, for alice: TestPeer, _ node: TestAgent) async throws {
        let received = try await carol.request(.invite)
        #expect(try #require(received.sessionDescription).isEmpty == false)
        carol.respond(.ok, to: received, body: TestSDP.audio(host: 3))
        let answer = try await alice.response(200)
        #expect(answer.sessionDescription != nil)
        // Media of both directions go to the caller and to who has answered, and to nobody else.
        #expect(node.routes.reports.count == 4)
        #expect(node.routes.destinations.allSatisfy { $0.hasPrefix("10.9.0.1:") || $0.hasPrefix("10.9.0.3:") })
    }

    @Test("A place that answers 503 is passed over, with the caller's offer; the next call goes to the other at once")
    func unavailable() async throws {
        let (node, alice, bob, carol) = try await peers()
        alice.send(.request(try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))))
        bob.respond(.serviceUnavailable, to: try await bob.request(.invite))
        try await answer(at: carol, for: alice, node)
        let before = bob.log
        alice.callID = "another"
        alice.send(.request(try alice.initial(.invite, "sip:y@127.0.0.1", body: TestSDP.audio(host: 1))))
        #expect(try await carol.request(.invite).uri.user == "y")
        #expect(bob.log == before)
        await node.stop()
    }

    @Test("Early media of a place that fails afterwards go, and those of the next one pass")
    func earlyMedia() async throws {
        let (node, alice, bob, carol) = try await peers()
        alice.send(.request(try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))))
        let received = try await bob.request(.invite)
        bob.respond(.sessionProgress, to: received, body: TestSDP.audio(host: 2))
        let early = try await alice.response(183)
        bob.respond(.serviceUnavailable, to: received)
        let next = try await carol.request(.invite)
        carol.respond(.ok, to: next, body: TestSDP.audio(host: 3))
        let answer = try await alice.response(200)
        #expect(answer.to.tag != early.to.tag)
        #expect(!node.routes.destinations.contains { $0.hasPrefix("10.9.0.2:") })
        await node.stop()
    }

    @Test("A place that does not answer at all is passed over as well")
    func silent() async throws {
        let (node, alice, bob, carol) = try await peers()
        alice.send(.request(try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))))
        _ = try await bob.request(.invite)
        try await answer(at: carol, for: alice, node)
        await node.stop()
    }
}
