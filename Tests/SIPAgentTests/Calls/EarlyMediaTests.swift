// What is said before the answer: early media, reliable responses, delayed offers.

import AgentSupport
import RTPWire
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Before the answer", .timeLimit(.minutes(1))) @AgentActor struct EarlyMediaTests {
    private func peers() async throws -> (TestAgent, alice: TestPeer, bob: TestPeer) {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort])
        bob.node = node.udpPort
        return (node, try await TestPeer("alice", node: node.udpPort), bob)
    }

    @Test("S-29: the description of a 183 reaches the caller, and media pass before the answer")
    func earlyMedia() async throws {
        let (node, alice, bob) = try await peers()
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        bob.respond(.sessionProgress, to: received, body: TestSDP.audio(host: 2))
        let progress = try await alice.response(183)
        #expect(!progress.body.isEmpty)
        #expect(node.routes.destinations.isSuperset(of: ["10.9.0.1:4000", "10.9.0.2:4000"]))
        bob.respond(.ok, to: received, body: TestSDP.audio(host: 2))
        let answer = try await alice.response(200)
        #expect(answer.to.tag == progress.to.tag)
        #expect(answer.body == progress.body)
        await node.stop()
    }

    @Test("S-29: reliable responses are acknowledged on each side, and the answer waits for the caller's PRACK")
    func reliable() async throws {
        let (node, alice, bob) = try await peers()
        let invite = try alice.initial(
            .invite, "sip:bob@127.0.0.1", headers: ["Supported": "100rel"], body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        #expect(received.headers.contains("100rel", in: "Supported"))
        bob.respond(
            .sessionProgress, to: received, headers: ["Require": "100rel", "RSeq": "17"], body: TestSDP.audio(host: 2))
        let prack = try await bob.request(.prack)
        #expect(prack.headers.rack == RAck(17, CSeq(received.sequence, .invite)))
        bob.respond(.ok, to: prack)
        bob.respond(.ok, to: received)
        _ = try await bob.request(.ack)
        let progress = try await alice.response(183)
        #expect(progress.headers.contains("100rel", in: "Require"))
        let number = try #require(progress.headers.number("RSeq") as UInt32?)
        let again = try await alice.response(183)
        #expect(again == progress)
        #expect(alice.count("200 INVITE") == 0)
        let dialog = try alice.dialog(invite, progress)
        dialog.send(.prack, headers: ["RAck": "\(number) \(invite.cseq)"])
        _ = try await alice.response(200, to: .prack)
        let answer = try await alice.response(200)
        dialog.acknowledge(answer)
        await node.stop()
    }

    @Test("S-29: a PRACK that acknowledges nothing gets 481")
    func strayPrack() async throws {
        let (node, alice, bob) = try await peers()
        let invite = try alice.initial(
            .invite, "sip:bob@127.0.0.1", headers: ["Supported": "100rel"], body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        bob.respond(.ringing, to: try await bob.request(.invite))
        let ringing = try await alice.response(180)
        try alice.dialog(invite, ringing).send(.prack, headers: ["RAck": "1 \(invite.cseq)"])
        _ = try await alice.response(481, to: .prack)
        await node.stop()
    }

    @Test("S-29: without offer in the INVITE the callee offers in its 200, and the ACK carries the answer to it")
    func delayedOffer() async throws {
        let (node, alice, bob) = try await peers()
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1")
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        #expect(received.body.isEmpty)
        bob.respond(.ok, to: received, body: TestSDP.audio(host: 2))
        let offer = try await alice.response(200)
        #expect(!offer.body.isEmpty)
        #expect(bob.count("ACK") == 0)
        try alice.dialog(invite, offer).acknowledge(offer, body: TestSDP.audio(host: 1))
        let ack = try await bob.request(.ack)
        #expect(!ack.body.isEmpty)
        #expect(
            try await node.eventually {
                node.routes.destinations.isSuperset(of: ["10.9.0.1:4000", "10.9.0.2:4000"])
            })
        await node.stop()
    }

    @Test("S-29: an offer in a reliable response is answered in the PRACK, which goes on to the callee")
    func offerInProvisional() async throws {
        let (node, alice, bob) = try await peers()
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1", headers: ["Supported": "100rel"])
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        bob.respond(
            .sessionProgress, to: received, headers: ["Require": "100rel", "RSeq": "5"], body: TestSDP.audio(host: 2))
        let progress = try await alice.response(183)
        let number = try #require(progress.headers.number("RSeq") as UInt32?)
        let dialog = try alice.dialog(invite, progress)
        dialog.send(.prack, headers: ["RAck": "\(number) \(invite.cseq)"], body: TestSDP.audio(host: 1))
        let prack = try await bob.request(.prack)
        #expect(!prack.body.isEmpty)
        bob.respond(.ok, to: prack)
        _ = try await alice.response(200, to: .prack)
        bob.respond(.ok, to: received)
        dialog.acknowledge(try await alice.response(200))
        _ = try await bob.request(.ack)
        await node.stop()
    }
}
