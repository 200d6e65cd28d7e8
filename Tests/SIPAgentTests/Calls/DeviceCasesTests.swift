// Devices as they are: the cases D of docs/sip-cases.md.

import AgentSupport
import RTPWire
import Routing
import SDP
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Devices as they are", .timeLimit(.minutes(1))) @AgentActor struct DeviceCasesTests {
    private func peers() async throws -> (TestAgent, alice: TestPeer, bob: TestPeer) {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort])
        bob.node = node.udpPort
        return (node, try await TestPeer("alice", node: node.udpPort), bob)
    }

    @Test("D-01: a 200 without Contact is acknowledged where the INVITE went, and ended; the caller gets 502")
    func noContact() async throws {
        let (node, alice, bob) = try await peers()
        alice.send(.request(try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))))
        let invite = try await bob.request(.invite)
        let body = TestSDP.audio(host: 2)
        bob.send(
            .response(
                SIPResponse(.ok, to: invite, tag: bob.tag, headers: ["Content-Type": "application/sdp"], body: body)))
        let ack = try await bob.request(.ack)
        #expect(ack.sequence == invite.sequence && ack.to.tag == bob.tag)
        let bye = try await bob.request(.bye)
        #expect(bye.uri == invite.uri && bye.sequence > invite.sequence)
        bob.respond(.ok, to: bye)
        _ = try await alice.response(502)
        #expect(try await node.eventually { await node.agent.sessions().isEmpty })
        #expect(node.routes.reports.isEmpty)
        await node.stop()
    }

    @Test(
        "D-02: an 18x whose description is of no use is passed on without it, and the answer that follows is taken",
        arguments: ["v=0\r\nnonsense", "outside", "media"])
    func earlyDescription(_ kind: String) async throws {
        let (node, alice, bob) = try await peers()
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        let body =
            switch kind {
            case "outside":
                Array(
                    String(decoding: TestSDP.audio(host: 2), as: UTF8.self).replacing("10.9.0.2", with: "239.1.1.1")
                        .utf8)
            case "media": TestSDP.audio(host: 2, more: ["m=video 4002 RTP/AVP 96"])
            default: Array(kind.utf8)
            }
        bob.respond(.sessionProgress, to: received, body: body)
        let progress = try await alice.response(183)
        #expect(progress.body.isEmpty)
        bob.respond(.ok, to: received, body: TestSDP.audio(host: 2))
        let answer = try await alice.response(200)
        #expect(!answer.body.isEmpty && bob.count("CANCEL") == 0)
        try alice.dialog(invite, answer).acknowledge(answer)
        #expect(
            try await node.eventually {
                node.routes.destinations.isSuperset(of: ["10.9.0.1:4000", "10.9.0.2:4000"])
            })
        await node.stop()
    }

    @Test("D-03: an answer that cannot be read is the callee's fault: 502 with a Warning, and the callee is let go")
    func brokenAnswer() async throws {
        let (node, alice, bob) = try await peers()
        alice.send(.request(try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))))
        let invite = try await bob.request(.invite)
        bob.respond(.ok, to: invite, body: Array("v=0\r\no=- 1 1 IN IP4 10.9.0.2\r\ns=-\r\nm=audio\r\n".utf8))
        _ = try await bob.request(.ack)
        bob.respond(.ok, to: try await bob.request(.bye))
        let refusal = try await alice.response(502)
        #expect(refusal.headers["Warning"]?.contains("m=audio") == true, "\(refusal.headers)")
        await node.stop()
    }

    @Test(
        "D-05: an answer has a direction that its offer allows, whatever the other side wrote",
        arguments: [
            ("sendonly", "sendrecv", "recvonly"), ("recvonly", "sendrecv", "sendonly"),
            ("inactive", "sendrecv", "inactive"),
            ("sendonly", "sendonly", "inactive"), ("sendonly", "recvonly", "recvonly"),
            ("sendrecv", "sendonly", "sendonly"),
        ])
    func direction(_ offered: String, _ answered: String, _ expected: String) async throws {
        let (node, alice, bob) = try await peers()
        alice.send(
            .request(
                try alice.initial(
                    .invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1, direction: offered))))
        let invite = try await bob.request(.invite)
        bob.respond(.ok, to: invite, body: TestSDP.audio(host: 2, direction: answered))
        let answer = try TestSDP.parsed(try await alice.response(200).body)
        #expect(answer.direction(of: answer.media[0]).rawValue == expected)
        await node.stop()
    }

    @Test("D-12: a caller of RFC 2543 without Contact is called back where it is; one of RFC 3261 gets 400")
    func noContactOfCaller() async throws {
        let (node, alice, bob) = try await peers()
        var invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        invite.headers["Contact"] = nil
        alice.send(.request(invite))
        _ = try await alice.response(400)
        invite.vias[0].parameters["branch"] = nil
        invite.callID += "-old"
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        bob.respond(.ok, to: received, body: TestSDP.audio(host: 2))
        _ = try await bob.request(.ack)
        let answer = try await alice.response(200)
        try alice.dialog(invite, answer).acknowledge(answer)
        try bob.dialog(answering: received).send(.bye)
        let bye = try await alice.request(.bye)
        #expect(bye.uri.description == "sip:alice@127.0.0.1:\(alice.udpPort)")
        await node.stop()
    }

    @Test("D-14: a caller hears each minute that it still rings, so that no proxy before it gives up")
    func stillRinging() async throws {
        let (node, alice, bob) = try await peers()
        alice.send(.request(try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))))
        bob.respond(.ringing, to: try await bob.request(.invite))
        let first = try await alice.response(180)
        let call = try #require(node.agent.call(named: "sip-1"))
        #expect(call.remindAt > MonotonicClock.now + 50_000_000_000)
        call.remindAt = MonotonicClock.now
        let second = try await alice.response(180)
        #expect(second.to.tag == first.to.tag)
        await node.stop()
    }

    @Test("D-04: of media without a packet, and of media that are not RTP, nothing is lost")
    func nothingLost() {
        var totals = StreamTotals()
        totals.expected = 1
        #expect(totals.lostPackets == 0)
        (totals.expected, totals.received) = (10, 8)
        #expect(totals.lostPackets == 2)
        (totals.expected, totals.received) = (10, 12)
        #expect(totals.lostPackets == -2)
    }
}
