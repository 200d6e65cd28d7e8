// Places that the network says are not there: the case D-09 of docs/sip-cases.md.

import AgentSupport
import CrosspointShim
import Glibc
import Logging
import RTPWire
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Unreachable places", .timeLimit(.minutes(1))) @AgentActor struct UnreachableTests {
    nonisolated private static var canListen: Bool {
        let socket = crosspoint_unreachable_socket(AF_INET)
        if socket >= 0 { close(socket) }
        return socket >= 0
    }

    /// A UDP port of loopback where nobody listens.
    private func deadPort() async throws -> UInt16 {
        let node = try await TestAgent(to: [])
        await node.stop()
        return node.udpPort
    }

    @Test(
        "D-09: a place that answers by ICMP that nobody is there is given up at once, and the next one called",
        .enabled(if: canListen, "needs CAP_NET_RAW"))
    func icmp() async throws {
        let bob = try await TestPeer("bob", node: 0)
        // With the real timers, over which the test would take 32 s.
        let node = try await TestAgent(to: [try await deadPort(), bob.udpPort], times: TransactionTimes())
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try alice.initial(.invite, "sip:bob@127.0.0.1", body: TestSDP.audio(host: 1))))
        bob.respond(.busyHere, to: try await bob.request(.invite))
        _ = try await alice.response(486)
        await node.stop()
    }

    @Test("D-09: only a quoted request with its branch counts")
    func quoted() {
        let text = "INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKabc;rport\r\nFrom: x"
        #expect(UnreachablePlaces.request(quoted: text.utf8)?.branch == "z9hG4bKabc")
        #expect(UnreachablePlaces.request(quoted: text.utf8)?.method == .invite)
        #expect(UnreachablePlaces.request(quoted: text.utf8.prefix(70)) == nil)
        #expect(UnreachablePlaces.request(quoted: [UInt8]()) == nil)
    }
}
