// What those get who may not call, and where they can have the node send: nothing, and nowhere.

import AgentSupport
import RTPWire
import SIPCore
import TestSupport
import Testing

@testable import SIPAgent

@Suite("Strangers at another address") @AgentActor struct StrangerTests {
    private static let here = IPNetwork(containing: TestPeer.loopback, prefixLength: 32)!
    private static let elsewhere = IPAddress(127, 0, 0, 9)

    /// A node that lets 127.0.0.1 call, and nobody else.
    private func node(to targets: [UInt16] = [], change: (inout SIPConfiguration) -> Void = { _ in }) async throws
        -> TestAgent
    {
        try await TestAgent(to: targets) { configuration in
            configuration.allowedNetworks = [Self.here]
            change(&configuration)
        }
    }

    private func tagged(_ method: SIPMethod, by peer: TestPeer) throws -> SIPRequest {
        var request = try peer.initial(method, "sip:bob@127.0.0.1")
        request.to.tag = "of-nothing"
        return request
    }

    /// Everything that begins nothing: of no transaction, of no dialog, of no use.
    private func strays(by peer: TestPeer) throws -> [[UInt8]] {
        var requests = try [SIPMethod.bye, .info, .options, .invite, .update, .other("FOO")].map {
            try tagged($0, by: peer).bytes
        }
        requests.append(try peer.initial(.invite, "sip:bob@127.0.0.1").cancellation().bytes)
        requests.append(try peer.initial(.options, "sip:bob@127.0.0.1").bytes)
        let text = String(decoding: try peer.initial(.options, "sip:bob@127.0.0.1").bytes, as: UTF8.self)
        requests.append(Array(text.replacing("CSeq: 1 OPTIONS", with: "CSeq: x OPTIONS").utf8))
        return requests
    }

    @Test("Outsiders get no answer to what belongs to nothing, and nothing of it is remembered")
    func silence() async throws {
        let node = try await node()
        let stranger = try await TestPeer("stranger", node: node.udpPort, address: Self.elsewhere)
        for _ in 1...20 { for request in try strays(by: stranger) { stranger.send(request) } }
        let friend = try await TestPeer("friend", node: node.udpPort)
        friend.send(.request(try friend.initial(.options, "sip:127.0.0.1")))
        _ = try await friend.response(200, to: .options)
        #expect(stranger.log.isEmpty, "\(stranger.log)")
        #expect(await node.counter("sip_transactions") == 0)
        await node.stop()
    }

    @Test("Allowed peers are told what is not there, once and always the same, and nothing of it is remembered")
    func statelessAnswers() async throws {
        let node = try await node()
        let friend = try await TestPeer("friend", node: node.udpPort)
        let bye = try tagged(.bye, by: friend)
        let cancel = try friend.initial(.invite, "sip:bob@127.0.0.1").cancellation()
        let invite = try friend.initial(.invite, "sip:nobody@127.0.0.1", body: TestSDP.audio(host: 1))
        for _ in 1...2 {
            friend.send(.request(bye))
            friend.send(.request(cancel))
            friend.send(.request(invite))
        }
        var tags: Set<String> = []
        for _ in 1...2 {
            _ = try await friend.response(481, to: .bye)
        }
        #expect(try await node.eventually { friend.log.count == 6 })
        try await Task.sleep(for: .milliseconds(400))
        // Nobody acknowledges the refusal of the INVITE, and it is not repeated.
        #expect(friend.count("404 INVITE") == 2 && friend.count("481 CANCEL") == 2, "\(friend.log)")
        #expect(await node.counter("sip_transactions") == 0)
        friend.send(.request(invite))
        friend.send(.request(invite))
        for _ in 1...2 { tags.insert(try await friend.response(404).to.tag ?? "") }
        #expect(tags.count == 1)
        await node.stop()
    }

    @Test("What comes beyond a source's rate is refused without a trace, CANCEL too")
    func rate() async throws {
        let node = try await node {
            $0.limits.requestsPerSecond = 1
            $0.limits.burst = 5
        }
        let friend = try await TestPeer("friend", node: node.udpPort)
        for _ in 1...40 { friend.send(.request(try friend.initial(.invite, "sip:bob@127.0.0.1").cancellation())) }
        _ = try await friend.response(503, to: .cancel)
        try await Task.sleep(for: .milliseconds(300))
        // The refusals have a rate, too.
        #expect(friend.count("481 CANCEL") <= 7 && friend.log.count < 40, "\(friend.log)")
        #expect(await node.counter("sip_transactions") == 0)
        await node.stop()
    }

    @Test("maddr in Via sends nothing to others")
    func maddr() async throws {
        let node = try await node()
        let victim = try await TestPeer("victim", node: node.udpPort, address: Self.elsewhere)
        let friend = try await TestPeer("friend", node: node.udpPort)
        var request = try friend.initial(.options, "sip:127.0.0.1")
        request.vias[0] = Via(.udp, SIPHostPort(.address(TestPeer.loopback), victim.udpPort), branch: "z9hG4bKmaddr")
        request.vias[0].parameters["maddr"] = "127.0.0.9"
        request.vias[0].parameters["rport"] = .some("")
        friend.send(.request(request))
        try await Task.sleep(for: .milliseconds(300))
        #expect(victim.log.isEmpty)
        await node.stop()
    }

    @Test("A callee that names another place in Contact is reached where it signals from")
    func contactElsewhere() async throws {
        let bob = try await TestPeer("bob", node: 0)
        bob.claimedContact = "<sip:bob@192.168.77.7:5060>"
        let node = try await node(to: [bob.udpPort])
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        bob.respond(.ok, to: try await bob.request(.invite), body: TestSDP.audio(host: 2))
        _ = try await bob.request(.ack)
        let answer = try await alice.response(200)
        let dialog = try alice.dialog(invite, answer)
        dialog.acknowledge(answer)
        dialog.send(.bye)
        bob.respond(.ok, to: try await bob.request(.bye))
        _ = try await alice.response(200, to: .bye)
        await node.stop()
    }

    @Test("A BYE by somebody who has seen Call-ID and tags ends nothing")
    func stolenDialog() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await node(to: [bob.udpPort])
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        let thief = try await TestPeer("thief", node: node.udpPort, address: Self.elsewhere)
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        bob.respond(.ok, to: try await bob.request(.invite), body: TestSDP.audio(host: 2))
        _ = try await bob.request(.ack)
        let answer = try await alice.response(200)
        let dialog = try alice.dialog(invite, answer)
        dialog.acknowledge(answer)
        thief.send(.request(dialog.dialog.request(.bye, via: thief.via())))
        try await Task.sleep(for: .milliseconds(300))
        #expect(thief.log.isEmpty && bob.count("BYE") == 0, "\(thief.log), \(bob.log)")
        dialog.send(.bye, headers: ["X-Again": "1"])
        bob.respond(.ok, to: try await bob.request(.bye))
        await node.stop()
    }

    @Test(
        "A callee that hangs up before it answers, and says nothing more, leaves no call behind",
        arguments: [true, false])
    func earlyBye(answersCancel: Bool) async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await node(to: [bob.udpPort])
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))))
        let received = try await bob.request(.invite)
        bob.respond(.sessionProgress, to: received, body: TestSDP.audio(host: 2))
        _ = try await alice.response(183)
        try bob.dialog(answering: received).send(.bye)
        if answersCancel { bob.respond(.ok, to: try await bob.request(.cancel)) }
        #expect(try await node.eventually { bob.count("200 BYE") == 1 })
        #expect(try await node.eventually { await node.counter("sip_calls") == 0 })
        #expect(try await node.eventually { await node.routes.routes().isEmpty })
        await node.stop()
    }

    @Test("One source has a part of the calls, and networks that may call a part that no other has")
    func shares() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await node(to: [bob.udpPort]) { $0.limits.callsPerSource = 2 }
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        for number in 1...3 {
            alice.callID = "call-\(number)"
            alice.send(.request(try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: number))))
        }
        _ = try await alice.response(503)
        #expect(await node.counter("sip_calls") == 2)
        await node.stop()
    }

    @Test("Control characters are shown, not obeyed, and credentials are hidden whatever blanks are written")
    func ladders() {
        let text =
            "OPTIONS sip:a@b SIP/2.0\r\nAuthorization \t: Digest TOPSECRET\r\nUser-Agent: a\u{1b}[31m\u{9b}2J\r\n\r\n"
        let shown = MessageSecrets.removed(from: Array(text.utf8))
        #expect(!shown.contains("TOPSECRET") && shown.contains("Authorization"))
        #expect(!shown.unicodeScalars.contains { $0 == "\u{1b}" || $0 == "\u{9b}" })
        #expect(shown.contains("[31m"))
    }
}
