// Messages over TCP, and from UDP to TCP.

import AgentSupport
import RTPWire
import SIPCore
import TestSupport
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

    @Test(
        "A call over TLS: both sides show certificates that are checked; a next hop with another one is not called",
        .enabled(if: TestCertificate.canBeMade, "needs openssl, to make a certificate"), arguments: [true, false])
    func tls(isRight: Bool) async throws {
        let directory = try TemporaryDirectory()
        let certificate = try TestCertificate(in: directory.path)
        let other = try TestCertificate(in: directory.path, for: "127.0.0.9")
        let bob = try await TestPeer("bob", node: 0, over: .tls, certificate: isRight ? certificate : other)
        let node = try await TestAgent(
            to: [], listeners: [.init(address: TestPeer.loopback, transport: .tls, transportPort: 0)]
        ) { configuration in
            configuration.certificate = certificate.files
            configuration.authorities = isRight ? certificate.files.chain : other.files.chain
            var uri = SIPURI(.sip, bob.place)
            uri.parameters["transport"] = "tls"
            configuration.dialPlan = [DialRule(name: "all", targets: [.nextHop(.init(uri: uri))])]
        }
        let port = try #require(node.agent.ports(.tls).first)
        let alice = try await TestPeer("alice", node: port, over: .tls, certificate: certificate)
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        guard isRight else {
            // The authority is right, and the certificate is for another address.
            _ = try await alice.response(500)
            #expect(bob.log.isEmpty)
            return await node.stop()
        }
        let received = try await bob.request(.invite)
        #expect(received.vias.first?.transport == .tls)
        #expect(received.headers.contact?.uri.parameters["transport"] == "tls")
        bob.respond(.ok, to: received, body: TestSDP.audio(host: 2))
        _ = try await bob.request(.ack)
        let answer = try await alice.response(200)
        #expect(answer.headers.contact?.uri.parameters["transport"] == "tls")
        try alice.dialog(invite, answer).acknowledge(answer)
        try bob.dialog(answering: received).send(.bye)
        alice.respond(.ok, to: try await alice.request(.bye))
        _ = try await bob.response(200, to: .bye)
        await node.stop()
    }

    @Test("Of several addresses, the one that a peer calls answers, and each side's Contact is what faces it")
    func severalAddresses() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(
            to: [bob.udpPort], listeners: [.init(address: nil, transport: .udp, transportPort: 0)])
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.nodeAddress = IPAddress(127, 0, 0, 2)
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.2", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        #expect(bob.lastSource == TestPeer.loopback)
        #expect(received.vias.first?.sentBy.host == .address(TestPeer.loopback))
        #expect(received.headers.contact?.uri.place?.host == .address(TestPeer.loopback))
        bob.node = node.udpPort
        bob.respond(.ok, to: received, body: TestSDP.audio(host: 2))
        let answer = try await alice.response(200)
        #expect(alice.lastSource == alice.nodeAddress)
        #expect(answer.headers.contact?.uri.place?.host == .address(alice.nodeAddress))
        let dialog = try alice.dialog(invite, answer)
        dialog.acknowledge(answer)
        try bob.dialog(answering: received).send(.bye)
        let bye = try await alice.request(.bye)
        #expect(alice.lastSource == alice.nodeAddress)
        #expect(bye.vias.first?.sentBy.host == .address(alice.nodeAddress))
        alice.respond(.ok, to: bye)
        _ = try await bob.response(200, to: .bye)
        await node.stop()
    }

    @Test("S-21: behind a strict router, it stands in the Request-URI and the peer is the last of the route")
    func strictRoute() async throws {
        let (bob, proxy) = (try await TestPeer("bob", node: 0), try await TestPeer("proxy", node: 0))
        let node = try await TestAgent(to: [bob.udpPort])
        for peer in [bob, proxy] { peer.node = node.udpPort }
        let alice = try await TestPeer("alice", node: node.udpPort)
        let invite = try alice.initial(
            .invite, "sip:bob@127.0.0.1", headers: ["Record-Route": "<sip:\(proxy.place)>, <sip:outer.example;lr>"],
            body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        bob.respond(.ok, to: received, body: TestSDP.audio(host: 2))
        let answer = try await alice.response(200)
        #expect(answer.headers.list("Record-Route").count == 2)
        try alice.dialog(invite, answer).acknowledge(answer)
        try bob.dialog(answering: received).send(.bye)
        let bye = try await proxy.request(.bye)
        #expect(bye.uri == (try SIPURI("sip:\(proxy.place)")))
        #expect(
            try bye.headers.addresses("Route").map(\.uri) == [
                try SIPURI("sip:outer.example;lr"), try #require(invite.headers.contact?.uri),
            ])
        proxy.respond(.ok, to: bye)
        _ = try await bob.response(200, to: .bye)
        await node.stop()
    }

    @Test(
        "Connections from where nothing is open are refused; one that only keeps itself alive is closed; a call keeps its own"
    )
    func idleness() async throws {
        let closed = try await TestAgent(to: [9], listeners: Self.listeners) {
            $0.allowedNetworks = [IPNetwork(containing: IPAddress(10, 1, 0, 0), prefixLength: 16)!]
        }
        _ = try await TestPeer("mallory", node: try #require(closed.agent.ports(.tcp).first), over: .tcp)
        #expect(
            try await closed.eventually {
                await closed.counter("sip_refused_connections_total", ["reason": "network"]) == 1
            })
        #expect(closed.agent.connectionCount == 0)
        await closed.stop()

        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort], listeners: Self.listeners)
        bob.node = node.udpPort
        let port = try #require(node.agent.ports(.tcp).first)
        let alice = try await TestPeer("alice", node: port, over: .tcp)
        alice.send(.request(try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))))
        _ = try await bob.request(.invite)
        let idler = try await TestPeer("idler", node: port, over: .tcp)
        idler.send(Array("\r\n\r\n".utf8))
        #expect(try await node.eventually { idler.connections?.pongs == 1 })
        #expect(node.agent.connectionCount == 2)
        node.agent.tick(now: MonotonicClock.now + 31_000_000_000)
        #expect(node.agent.connectionCount == 1)
        node.agent.tick(now: MonotonicClock.now + 200_000_000_000)
        #expect(node.agent.connectionCount == 1)
        await node.stop()
    }

    @Test("One source gets its share of the connections")
    func share() async throws {
        let node = try await TestAgent(to: [9], listeners: Self.listeners) { $0.limits.connectionsPerSource = 2 }
        let port = try #require(node.agent.ports(.tcp).first)
        for _ in 0..<3 { _ = try await TestPeer("alice", node: port, over: .tcp) }
        #expect(
            try await node.eventually {
                await node.counter("sip_refused_connections_total", ["reason": "address"]) == 1
            })
        await node.stop()
    }

    @Test("More messages at once than a connection's turn takes are all answered, in order")
    func turns() async throws {
        let node = try await TestAgent(to: [9], listeners: Self.listeners)
        let alice = try await TestPeer("alice", node: try #require(node.agent.ports(.tcp).first), over: .tcp)
        var bytes: [UInt8] = []
        for number in 1...100 {
            bytes += try alice.initial(.options, "sip:127.0.0.1", sequence: UInt32(number)).bytes
        }
        alice.send(bytes)
        for number in 1...100 {
            #expect(try await alice.response(200, to: .options).cseq.sequence == UInt32(number))
        }
        await node.stop()
    }
}
