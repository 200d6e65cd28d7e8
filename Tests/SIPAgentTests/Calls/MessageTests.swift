// MESSAGE outside of calls.

import AgentSupport
import RTPWire
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Messages", .timeLimit(.minutes(1))) @AgentActor struct MessageTests {
    private static let text = Array("on air in five".utf8)

    private func message(_ alice: TestPeer, _ uri: String = "sip:bob@127.0.0.1") throws -> SIPRequest {
        var request = try alice.initial(.message, uri, headers: ["Subject": "cue"], body: Self.text)
        request.headers["Content-Type"] = "text/plain;charset=UTF-8"
        return request
    }

    @Test("A MESSAGE goes to whom the dial plan names, as a request of the node's own, and its answer comes back")
    func relayed() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort])
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        let sent = try message(alice)
        alice.send(.request(sent))
        let received = try await bob.request(.message)
        #expect(received.body == Self.text)
        #expect(received.headers["Content-Type"] == "text/plain;charset=UTF-8")
        #expect(received.headers["Subject"] == "cue")
        #expect(received.headers["Contact"] == nil)
        #expect(received.headers.maxForwards == 69)
        #expect(received.from.uri == sent.from.uri)
        #expect(received.callID != sent.callID && received.from.tag != sent.from.tag)
        #expect(received.to.tag == nil)
        bob.respond(.ok, to: received)
        let answer = try await alice.response(200, to: .message)
        #expect(answer.callID == sent.callID && answer.headers["Contact"] == nil)
        #expect(await node.agent.sessions().isEmpty)
        #expect(await node.counter("sip_messages_total", ["status": "200"]) == 1)
        #expect(await node.counter("sip_requests_total", ["method": "MESSAGE"]) == 1)
        #expect(await node.counter("sip_responses_total", ["status": "200"]) == 1)
        #expect(await node.counter("sip_received_responses_total", ["status": "200"]) == 1)
        await node.stop()
    }

    @Test("In parallel the first 2xx is the answer; of failures the sender gets the best, with what it can do about it")
    func forked() async throws {
        let (bob, carol) = (try await TestPeer("bob", node: 0), try await TestPeer("carol", node: 0))
        let node = try await TestAgent(to: [bob.udpPort, carol.udpPort], forking: .parallel)
        for peer in [bob, carol] { peer.node = node.udpPort }
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try message(alice)))
        let (one, two) = (try await bob.request(.message), try await carol.request(.message))
        bob.respond(.busyHere, to: one)
        carol.respond(SIPStatus(202, "Accepted"), to: two)
        _ = try await alice.response(202, to: .message)
        alice.callID = "second"
        alice.send(.request(try message(alice)))
        bob.respond(SIPStatus(699, "Never"), to: try await bob.request(.message))
        carol.respond(.methodNotAllowed, to: try await carol.request(.message), headers: ["Allow": "INVITE"])
        #expect(try await alice.outcome(of: .message).status.code == 699)
        #expect(await node.counter("sip_messages_total", ["status": "6xx"]) == 1)
        await node.stop()
    }

    @Test("In sequence the next destination gets it when one has failed; Allow comes back with a 405")
    func sequence() async throws {
        let (bob, carol) = (try await TestPeer("bob", node: 0), try await TestPeer("carol", node: 0))
        let node = try await TestAgent(to: [bob.udpPort, carol.udpPort])
        for peer in [bob, carol] { peer.node = node.udpPort }
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try message(alice)))
        bob.respond(.serviceUnavailable, to: try await bob.request(.message))
        carol.respond(.methodNotAllowed, to: try await carol.request(.message), headers: ["Allow": "INVITE"])
        #expect(try await alice.outcome(of: .message).headers["Allow"] == "INVITE")
        await node.stop()
    }

    @Test("Who may not call may not send messages, and nobody gets what no rule is for")
    func access() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort]) { $0.dialPlan[0].user = .exact("bob") }
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try message(alice, "sip:nobody@127.0.0.1")))
        _ = try await alice.response(404, to: .message)
        await node.stop()
        let closed = try await TestAgent(to: [bob.udpPort]) {
            $0.allowedNetworks = []
            $0.registrar = RegistrarConfiguration(
                allowedNetworks: [IPNetwork(containing: TestPeer.loopback, prefixLength: 32)!])
        }
        let mallory = try await TestPeer("mallory", node: closed.udpPort)
        mallory.send(.request(try message(mallory)))
        _ = try await mallory.response(403, to: .message)
        #expect(bob.log.isEmpty)
        await closed.stop()
    }

    @Test("S-07: a MESSAGE that comes back to the node gets 482; where nobody answers, nobody is told so (RFC 4320)")
    func loopAndSilence() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort])
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try message(alice, "sip:bob@127.0.0.1:\(bob.udpPort)")))
        var received = try await bob.request(.message)
        received.vias.insert(bob.via(), at: 0)
        bob.send(.request(received))
        _ = try await bob.response(482, to: .message)
        #expect(try await node.eventually { await node.counter("sip_messages_total", ["status": "none"]) == 1 })
        #expect(alice.log.isEmpty)
        await node.stop()
    }
}
