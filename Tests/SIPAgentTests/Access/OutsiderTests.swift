// What strangers can make the node do: nothing.

import AgentSupport
import Logging
import RTPWire
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Outsiders", .timeLimit(.minutes(1))) @AgentActor struct OutsiderTests {
    private static let elsewhere = IPNetwork(containing: IPAddress(10, 1, 0, 0), prefixLength: 16)!

    /// A node that lets nobody in from loopback.
    private func closedNode() async throws -> (TestAgent, TestPeer) {
        let node = try await TestAgent(to: [9]) { $0.allowedNetworks = [Self.elsewhere] }
        return (node, try await TestPeer("mallory", node: node.udpPort))
    }

    @Test(
        "Nothing of an outsider is remembered or answered: CANCEL, requests in no dialog, what cannot be read, OPTIONS")
    func silence() async throws {
        let (node, mallory) = try await closedNode()
        mallory.send(.request(try mallory.initial(.invite, "sip:x@127.0.0.1").cancellation()))
        for method in [SIPMethod.bye, .info, .options, .invite, .update, .other("FOO")] {
            var request = try mallory.initial(method, "sip:x@127.0.0.1")
            request.to.tag = "nobody"
            mallory.send(.request(request))
        }
        mallory.send(.request(try mallory.initial(.options, "sip:x@127.0.0.1")))
        let malformed = "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:\(mallory.udpPort);branch=z9hG4bKx\r\n\r\n"
        mallory.send(Array(malformed.utf8))
        #expect(
            try await node.eventually {
                await node.counter("sip_malformed_messages_total", ["handling": "dropped"]) == 1
            })
        #expect(await node.counter("sip_transactions") == 0)
        #expect(await node.counter("sip_refusals_total", ["reason": "network"]) == 8)
        #expect(mallory.log.isEmpty)
        await node.stop()
    }

    @Test("Refusals are sent once, with the same tag for the same request, and nothing is remembered of them")
    func stateless() async throws {
        let node = try await TestAgent(to: [])
        let alice = try await TestPeer("alice", node: node.udpPort)
        let invite = try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))
        alice.send(.request(invite))
        let first = try await alice.response(404)
        alice.send(.request(invite))
        #expect(try await alice.response(404).to.tag == first.to.tag)
        #expect(first.to.tag != nil)
        #expect(await node.counter("sip_transactions") == 0)
        // Longer than the first retransmissions of a final response.
        try await Task.sleep(for: TestAgent.quick.t1 * 8)
        #expect(alice.count("404 INVITE") == 2)
        await node.stop()
    }

    @Test("maddr leads nowhere but to the sender")
    func maddr() async throws {
        let node = try await TestAgent(to: [9])
        let (alice, victim) = (
            try await TestPeer("alice", node: node.udpPort), try await TestPeer("victim", node: node.udpPort)
        )
        var request = try alice.initial(.options, "sip:127.0.0.1")
        request.vias[0] = Via(.udp, SIPHostPort(.address(TestPeer.loopback), victim.udpPort), branch: "z9hG4bKmaddr")
        request.vias[0].parameters["maddr"] = "127.0.0.1"
        alice.send(.request(request))
        _ = try await alice.response(200, to: .options)
        #expect(victim.log.isEmpty)
        await node.stop()
    }

    @Test("A refusal by TCP is not sent on a connection of the node's own making")
    func noConnectionBack() async throws {
        let listeners: [SIPConfiguration.Listener] = [
            .init(address: TestPeer.loopback, transport: .tcp, transportPort: 0)
        ]
        let node = try await TestAgent(to: [], listeners: listeners)
        let bait = try await TestPeer("bait", node: 0, over: .tcp)
        let source = SIPSource(
            transport: .tcp, address: TestPeer.loopback, transportPort: 1, localAddress: TestPeer.loopback,
            localPort: node.agent.ports(.tcp)[0], connection: 999)
        var request = try bait.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))
        request.noteSource(source.address, transportPort: source.transportPort)
        node.agent.receive(request, from: source)
        try await Task.sleep(for: .milliseconds(200))
        #expect(bait.connections?.accepted == 0)
        #expect(await node.counter("sip_transactions") == 0)
        await node.stop()
    }

    @Test("One source gets its share of the transactions, and strangers no more than half of all")
    func shares() throws {
        let timers = SIPTimers()
        let transports = SIPTransports(
            configuration: SIPConfiguration(), counters: SIPCounters(), logger: .init(label: "test"))
        let transactions = Transactions(
            transports: transports, timers: timers, counters: SIPCounters(), capacity: 8, share: 3)
        @AgentActor func accept(_ number: Int, _ address: IPAddress, isTrusted: Bool) throws -> Bool {
            let via = Via(.udp, SIPHostPort(.address(address), 5060), branch: "z9hG4bK\(number)")
            let request = SIPRequest(
                .register, try SIPURI("sip:x"), vias: [via], from: try NameAddress("<sip:a@b.example>;tag=1"),
                to: try NameAddress("<sip:a@b.example>"), callID: "\(number)", sequence: 1)
            let source = SIPSource(
                transport: .udp, address: address, transportPort: 5060, localAddress: IPAddress(10, 1, 0, 1),
                localPort: 5060)
            return transactions.accept(request, from: source, isTrusted: isTrusted) != nil
        }
        let one = try #require(IPAddress("2001:db8::1"))
        let neighbour = try #require(IPAddress("2001:db8::ffff:2"))
        #expect(try (0..<3).allSatisfy { try accept($0, one, isTrusted: false) })
        // The same /64.
        #expect(try !accept(3, neighbour, isTrusted: false))
        #expect(try accept(4, IPAddress(192, 0, 2, 1), isTrusted: false))
        #expect(try !accept(5, IPAddress(192, 0, 2, 2), isTrusted: false))
        #expect(try accept(6, IPAddress(10, 1, 0, 7), isTrusted: true))
        timers.stop()
    }
}
