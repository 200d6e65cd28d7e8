// Devices that do not know the address that they are reached at: the cases D-06 and D-07 of docs/sip-cases.md.

import AgentSupport
import RTPWire
import SIPCore
import TestSupport
import Testing

@testable import SIPAgent

@Suite("Devices behind a NAT", .timeLimit(.minutes(1))) @AgentActor struct NATTests {
    /// The place of a device in its own network, which the node's operator has let in, too: nothing but what signals says where it is.
    private static let inner = SIPHostPort(.address(IPAddress(192, 168, 77, 7)), 5060)

    private func node(
        calling targets: [DialTarget], change: (inout SIPConfiguration) -> Void = { _ in }
    ) async throws -> TestAgent {
        try await TestAgent(
            to: [],
            listeners: [
                .init(address: TestPeer.loopback, transport: .udp, transportPort: 0),
                .init(address: TestPeer.loopback, transport: .tcp, transportPort: 0),
            ]
        ) { configuration in
            let loopback = IPNetwork(containing: TestPeer.loopback, prefixLength: 8)!
            configuration.allowedNetworks = [
                loopback, IPNetwork(containing: IPAddress(192, 168, 0, 0), prefixLength: 16)!,
            ]
            configuration.registrar = RegistrarConfiguration(allowedNetworks: [loopback])
            configuration.dialPlan = [DialRule(name: "all", targets: targets)]
            configuration.sessionTimer = .init(interval: 1800, minimum: 90)
            change(&configuration)
        }
    }

    private func device(_ name: String, _ node: TestAgent, _ transport: SIPTransport, asksForPort: Bool = true)
        async throws -> TestPeer
    {
        let port = try #require(node.agent.ports(transport).first)
        let device = try await TestPeer(name, node: port, over: transport)
        device.claimedPlace = Self.inner
        device.asksForPort = asksForPort
        return device
    }

    private func register(_ device: TestPeer, sequence: UInt32 = 1) async throws {
        let request = try device.initial(
            .register, "sip:127.0.0.1", sequence: sequence, headers: ["Expires": "300"])
        var registration = request
        registration.to = NameAddress(try SIPURI("sip:\(device.name)@127.0.0.1"))
        device.send(.request(registration))
        _ = try await device.response(200, to: .register)
    }

    /// Everything that is said in a call, from the other side and from the node itself, reaches a device; and what it says comes back.
    private func converse(
        _ node: TestAgent, device: TestDialog, other: TestDialog, side: (Call) -> CallSide?
    ) async throws {
        other.send(.info, headers: ["Content-Type": "text/plain"], body: Array("hello".utf8))
        device.peer.respond(.ok, to: try await device.peer.request(.info))
        _ = try await other.peer.response(200, to: .info)
        let host = device.peer.name == "alice" ? 1 : 2
        other.send(.invite, body: TestSDP.audio(host: 3 - host, version: 2, direction: "sendonly"))
        let change = try await device.peer.request(.invite)
        device.peer.respond(.ok, to: change, body: TestSDP.audio(host: host, version: 2, direction: "recvonly"))
        _ = try await device.peer.request(.ack)
        other.acknowledge(try await other.peer.response(200))
        let call = try #require(node.agent.call(named: "sip-1"))
        await call.refresh(try #require(side(call)))
        let update = try await device.peer.request(.update)
        device.peer.respond(.ok, to: update)
        other.send(.bye)
        device.peer.respond(.ok, to: try await device.peer.request(.bye))
        _ = try await other.peer.response(200, to: .bye)
    }

    private static let allows: SIPHeaders = ["Allow": "INVITE, ACK, BYE, CANCEL, UPDATE, INFO, MESSAGE"]

    @Test(
        "D-06: a registered device behind a NAT gets ACK, INFO, re-INVITE, refresh and BYE where it is",
        arguments: [(SIPTransport.udp, true), (.udp, false), (.tcp, true)])
    func registered(_ transport: SIPTransport, asksForPort: Bool) async throws {
        let node = try await node(calling: [.registered])
        let bob = try await device("bob", node, transport, asksForPort: asksForPort)
        try await register(bob)
        let alice = try await TestPeer("alice", node: node.udpPort)
        let invite = try alice.initial(
            .invite, "sip:bob@127.0.0.1", headers: Self.allows, body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        #expect(received.uri.place == Self.inner)
        bob.respond(.ok, to: received, headers: Self.allows, body: TestSDP.audio(host: 2))
        _ = try await bob.request(.ack)
        let answer = try await alice.response(200)
        let a = try alice.dialog(invite, answer)
        a.acknowledge(answer)
        try await converse(node, device: try bob.dialog(answering: received), other: a) { $0.callee }
        #expect(bob.connections?.accepted ?? 0 == 0)
        await node.stop()
    }

    @Test(
        "D-07: a device behind a NAT that calls gets INFO, re-INVITE, refresh and BYE where it is",
        arguments: [(SIPTransport.udp, true), (.udp, false), (.tcp, true)])
    func calling(_ transport: SIPTransport, asksForPort: Bool) async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await node(calling: [.nextHop(.init(uri: SIPURI(.sip, bob.place)))])
        bob.node = node.udpPort
        let alice = try await device("alice", node, transport, asksForPort: asksForPort)
        let invite = try alice.initial(
            .invite, "sip:bob@127.0.0.1", headers: Self.allows, body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        bob.respond(.ok, to: received, headers: Self.allows, body: TestSDP.audio(host: 2))
        _ = try await bob.request(.ack)
        let answer = try await alice.response(200)
        let a = try alice.dialog(invite, answer)
        a.acknowledge(answer)
        try await converse(node, device: a, other: try bob.dialog(answering: received)) { $0.caller }
        await node.stop()
    }

    @Test("D-07: a device whose Contact alone names another place is reached where it signals from")
    func contactElsewhere() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await node(calling: [.nextHop(.init(uri: SIPURI(.sip, bob.place)))])
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.claimedContact = "<sip:alice@192.168.77.7:5060>"
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        let received = try await bob.request(.invite)
        bob.respond(.ok, to: received, body: TestSDP.audio(host: 2))
        _ = try await bob.request(.ack)
        let answer = try await alice.response(200)
        try alice.dialog(invite, answer).acknowledge(answer)
        try bob.dialog(answering: received).send(.bye)
        let bye = try await alice.request(.bye)
        #expect(bye.uri.description == "sip:alice@192.168.77.7:5060")
        await node.stop()
    }

    @Test("D-06: a device that a NAT has given another UDP port is called, and hung up, where it registered last")
    func rebound() async throws {
        let node = try await node(calling: [.registered])
        let before = try await device("bob", node, .udp)
        try await register(before)
        let alice = try await TestPeer("alice", node: node.udpPort)
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        before.respond(.ok, to: try await before.request(.invite), body: TestSDP.audio(host: 2))
        _ = try await before.request(.ack)
        let answer = try await alice.response(200)
        let a = try alice.dialog(invite, answer)
        a.acknowledge(answer)
        let after = try await device("bob", node, .udp)
        after.callID = before.callID
        try await register(after, sequence: 2)
        a.send(.bye)
        after.respond(.ok, to: try await after.request(.bye))
        _ = try await alice.response(200, to: .bye)
        #expect(before.count("BYE") == 0)
        await node.stop()
    }

    @Test(
        "D-06: the way through a NAT to a registered device, and to one in a call, is kept open while nothing is said")
    func keptOpen() async throws {
        let node = try await node(calling: [.registered])
        let bob = try await device("bob", node, .udp)
        try await register(bob)
        // What says nothing is no message.
        #expect(try await node.eventually { bob.count("-") == 1 })
        let carol = try await device("carol", node, .udp)
        let invite = try carol.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        carol.send(.request(invite))
        bob.respond(.ok, to: try await bob.request(.invite), body: TestSDP.audio(host: 2))
        _ = try await bob.request(.ack)
        let answer = try await carol.response(200)
        let a = try carol.dialog(invite, answer)
        a.acknowledge(answer)
        #expect(try await node.eventually { carol.count("-") >= 2 })
        a.send(.bye)
        bob.respond(.ok, to: try await bob.request(.bye))
        let said = carol.count("-")
        try await Task.sleep(for: .seconds(4))
        #expect(carol.count("-") == said)
        await node.stop()
    }

    @Test("D-06: a device behind a NAT is hung up where it is after a restart of the daemon")
    func restarted() async throws {
        let node = try await node(calling: [.registered])
        let bob = try await device("bob", node, .udp)
        try await register(bob)
        let alice = try await TestPeer("alice", node: node.udpPort)
        let invite = try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        bob.respond(.ok, to: try await bob.request(.invite), body: TestSDP.audio(host: 2))
        _ = try await bob.request(.ack)
        let answer = try await alice.response(200)
        let a = try alice.dialog(invite, answer)
        a.acknowledge(answer)
        await node.stop()
        let next = try await TestAgent(
            to: [], directory: node.directory, routes: node.routes,
            listeners: [.init(address: TestPeer.loopback, transport: .udp, transportPort: node.udpPort)]
        ) { configuration in
            let listeners = configuration.listeners
            configuration = node.configuration
            configuration.listeners = listeners
        }
        a.send(.bye)
        bob.respond(.ok, to: try await bob.request(.bye))
        _ = try await alice.response(200, to: .bye)
        await next.stop()
    }
}
