// Messages over TCP, and from UDP to TCP.

import AgentSupport
import RTPWire
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Transports", .timeLimit(.minutes(1))) @AgentActor struct TransportTests {
    private static let listeners: [SIPConfiguration.Listener] = [
        .init(address: TestPeer.loopback, transport: .udp, transportPort: 0),
        .init(address: TestPeer.loopback, transport: .tcp, transportPort: 0),
    ]

    /// A node that calls the peer over its transport.
    private func node(calling peer: TestPeer) async throws -> TestAgent {
        try await TestAgent(to: [], listeners: Self.listeners) { configuration in
            var uri = SIPURI(.sip, peer.place)
            if peer.transport == .tcp { uri.parameters["transport"] = "tcp" }
            configuration.dialPlan = [DialRule(name: "all", targets: [.nextHop(.init(uri: uri))])]
        }
    }

    @Test("S-09: a call over TCP uses the caller's connection for all that goes to it, and one to the callee")
    func tcp() async throws {
        let bob = try await TestPeer("bob", node: 0, over: .tcp)
        let node = try await node(calling: bob)
        let port = try #require(node.agent.ports(.tcp).first)
        let alice = try await TestPeer("alice", node: port, over: .tcp)
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        #expect(received.vias.first?.transport == .tcp)
        #expect(received.headers.contact?.uri.parameters["transport"] == "tcp")
        bob.respond(.ok, to: received, body: TestSDP.audio(host: 2))
        _ = try await bob.request(.ack)
        let answer = try await alice.response(200)
        try alice.dialog(invite, answer).acknowledge(answer)
        try bob.dialog(answering: received).send(.bye)
        alice.respond(.ok, to: try await alice.request(.bye))
        _ = try await bob.response(200, to: .bye)
        #expect(bob.connections?.accepted == 1)
        #expect(alice.connections?.accepted == 0)
        await node.stop()
    }

    @Test("S-09: two line ends are answered by one, and messages in one segment are all taken")
    func keepAlive() async throws {
        let node = try await TestAgent(to: [9], listeners: Self.listeners)
        let alice = try await TestPeer("alice", node: try #require(node.agent.ports(.tcp).first), over: .tcp)
        alice.send(Array("\r\n\r\n".utf8))
        #expect(try await node.eventually { alice.connections?.pongs == 1 })
        let first = try alice.initial(.options, "sip:127.0.0.1")
        let second = try alice.initial(.options, "sip:127.0.0.1", sequence: 2)
        alice.send(first.bytes + second.bytes)
        #expect(try await alice.response(200, to: .options).cseq.sequence == 1)
        #expect(try await alice.response(200, to: .options).cseq.sequence == 2)
        await node.stop()
    }

    @Test("S-09: a request too large for UDP goes by TCP, and by UDP after all where nobody takes it")
    func large() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort])
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        let filler = (0..<60).map { "a=fmtp:\($0) packets of this size go by TCP" }
        alice.send(
            .request(try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1, more: filler))))
        let overUDP = try await bob.request(.invite)
        #expect(overUDP.vias.first?.transport == .udp)
        bob.respond(.busyHere, to: overUDP)
        _ = try await alice.response(486)
        await node.stop()
    }

    @Test("A caller over TCP is called over UDP by a callee's BYE, each in its own transport")
    func mixed() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await node(calling: bob)
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: try #require(node.agent.ports(.tcp).first), over: .tcp)
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        #expect(received.vias.first?.transport == .udp)
        bob.respond(.ok, to: received, body: TestSDP.audio(host: 2))
        let answer = try await alice.response(200)
        try alice.dialog(invite, answer).acknowledge(answer)
        try alice.dialog(invite, answer).send(.bye)
        bob.respond(.ok, to: try await bob.request(.bye))
        _ = try await alice.response(200, to: .bye)
        await node.stop()
    }
}
