// Several destinations of one call.

import AgentSupport
import RTPWire
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Forking", .timeLimit(.minutes(1))) @AgentActor struct ForkingTests {
    private func peers(
        _ forking: DialRule.Forking, ringTime: Int = 60
    ) async throws -> (TestAgent, alice: TestPeer, bob: TestPeer, carol: TestPeer) {
        let bob = try await TestPeer("bob", node: 0)
        let carol = try await TestPeer("carol", node: 0)
        let node = try await TestAgent(to: [bob.udpPort, carol.udpPort], forking: forking, ringTime: ringTime)
        bob.node = node.udpPort
        carol.node = node.udpPort
        return (node, try await TestPeer("alice", node: node.udpPort), bob, carol)
    }

    @Test("S-25: in sequence the next destination is called when one has failed, and the call is its")
    func sequence() async throws {
        let (node, alice, bob, carol) = try await peers(.sequence)
        alice.send(.request(try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))))
        bob.respond(.busyHere, to: try await bob.request(.invite))
        let received = try await carol.request(.invite)
        carol.respond(.ok, to: received, body: TestSDP.audio(host: 3))
        _ = try await alice.response(200)
        #expect(alice.count("486 INVITE") == 0)
        await node.stop()
    }

    @Test("A destination that rings too long is cancelled, and the next one is called")
    func ringTime() async throws {
        let (node, alice, bob, carol) = try await peers(.sequence, ringTime: 1)
        alice.send(.request(try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))))
        let first = try await bob.request(.invite)
        bob.respond(.ringing, to: first)
        bob.respond(.ok, to: try await bob.request(.cancel))
        bob.respond(.requestTerminated, to: first)
        carol.respond(.ok, to: try await carol.request(.invite), body: TestSDP.audio(host: 3))
        _ = try await alice.response(200)
        await node.stop()
    }

    @Test("S-20, S-25: in parallel the first answer wins, and the others are cancelled")
    func parallel() async throws {
        let (node, alice, bob, carol) = try await peers(.parallel)
        alice.send(.request(try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))))
        let first = try await bob.request(.invite)
        let second = try await carol.request(.invite)
        bob.respond(.ringing, to: first)
        carol.respond(.ringing, to: second)
        _ = try await alice.response(180)
        let tags = Set([try await alice.response(180).to.tag])
        carol.respond(.ok, to: second, body: TestSDP.audio(host: 3))
        let answer = try await alice.response(200)
        #expect(tags.contains(answer.to.tag))
        bob.respond(.ok, to: try await bob.request(.cancel))
        bob.respond(.requestTerminated, to: first)
        _ = try await bob.request(.ack)
        _ = try await carol.request(.ack)
        #expect(node.routes.destinations.isSuperset(of: ["10.9.0.1:4000", "10.9.0.3:4000"]))
        await node.stop()
    }

    @Test("S-20: a second answer is acknowledged and ended with BYE")
    func twoAnswers() async throws {
        let (node, alice, bob, carol) = try await peers(.parallel)
        alice.send(.request(try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))))
        let first = try await bob.request(.invite)
        let second = try await carol.request(.invite)
        bob.respond(.ok, to: first, body: TestSDP.audio(host: 2))
        carol.respond(.ok, to: second, body: TestSDP.audio(host: 3))
        _ = try await alice.response(200)
        let loser = carol.count("BYE") > 0 ? carol : try await waitForLoser(bob, carol, node)
        _ = try await loser.request(.ack)
        loser.respond(.ok, to: try await loser.request(.bye))
        #expect(alice.count("BYE") == 0)
        await node.stop()
    }

    private func waitForLoser(_ bob: TestPeer, _ carol: TestPeer, _ node: TestAgent) async throws -> TestPeer {
        _ = try await node.eventually { bob.count("BYE") + carol.count("BYE") > 0 }
        return bob.count("BYE") > 0 ? bob : carol
    }

    @Test("S-20: forks of a proxy behind the node are dialogs of their own for the caller, and the losers get BYE")
    func forksOfAProxy() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort])
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))))
        let received = try await bob.request(.invite)
        bob.respond(.sessionProgress, to: received, tag: "one", body: TestSDP.audio(host: 2))
        let first = try await alice.response(183)
        bob.respond(.sessionProgress, to: received, tag: "two", body: TestSDP.audio(host: 3, payloadTypes: "0"))
        let second = try await alice.response(183)
        #expect(first.to.tag != second.to.tag)
        bob.respond(.ok, to: received, tag: "two", body: TestSDP.audio(host: 3, payloadTypes: "0"))
        let answer = try await alice.response(200)
        #expect(answer.to.tag == second.to.tag)
        bob.respond(.ok, to: received, tag: "one", body: TestSDP.audio(host: 2))
        let bye = try await bob.request(.bye)
        #expect(bye.to.tag == "one")
        await node.stop()
    }

    @Test("S-25: the best failure is the caller's, 6xx at once, and 503 becomes 500")
    func failures() async throws {
        let (node, alice, bob, carol) = try await peers(.parallel)
        alice.send(.request(try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))))
        let first = try await bob.request(.invite)
        let second = try await carol.request(.invite)
        bob.respond(.ringing, to: first)
        carol.respond(.decline, to: second)
        bob.respond(.ok, to: try await bob.request(.cancel))
        bob.respond(.requestTerminated, to: first)
        _ = try await alice.response(603)
        await node.stop()
    }

    @Test("S-31: the places of a 302 are called instead, and the caller hears nothing of it")
    func redirected() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let carol = try await TestPeer("carol", node: 0)
        let node = try await TestAgent(to: [bob.udpPort])
        bob.node = node.udpPort
        carol.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))))
        bob.respond(
            .movedTemporarily, to: try await bob.request(.invite),
            headers: ["Contact": "<sip:carol@127.0.0.1:\(carol.udpPort)>"])
        let received = try await carol.request(.invite)
        #expect(received.uri.user == "carol")
        carol.respond(.ok, to: received, body: TestSDP.audio(host: 3))
        _ = try await alice.response(200)
        await node.stop()
    }

    @Test("S-31: a 302 leads to no network that callers are not let in from, and the caller hears that nobody is there")
    func redirectedOutside() async throws {
        let bob = try await TestPeer("bob", node: 0)
        let node = try await TestAgent(to: [bob.udpPort])
        bob.node = node.udpPort
        let alice = try await TestPeer("alice", node: node.udpPort)
        alice.send(.request(try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))))
        bob.respond(
            .movedTemporarily, to: try await bob.request(.invite),
            headers: ["Contact": "<sip:premium@192.0.2.9>, <tel:+881>, <sip:x@[2001:db8::1]>"])
        _ = try await alice.response(480)
        #expect(await node.counter("sip_transaction_timeouts_total") == 0)
        await node.stop()
    }

    @Test(
        "S-31: a 302 to a place of the node goes through the dial plan, by what its caller may",
        arguments: [DialRule.Permission.allowed, .anyUser])
    func redirectedToNode(permission: DialRule.Permission) async throws {
        let (bob, carol) = (try await TestPeer("bob", node: 0), try await TestPeer("carol", node: 0))
        let hop = DialTarget.nextHop(.init(uri: try SIPURI("sip:127.0.0.1:\(carol.udpPort)")))
        let node = try await TestAgent(to: [bob.udpPort]) {
            $0.names = ["studio.example"]
            $0.dialPlan.insert(
                DialRule(name: "desk", user: .exact("desk"), permission: permission, targets: [hop]), at: 0)
        }
        for peer in [bob, carol] { peer.node = node.udpPort }
        for host in ["studio.example", "127.0.0.1:\(node.udpPort)"] {
            let alice = try await TestPeer("alice", node: node.udpPort)
            alice.send(.request(try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))))
            bob.respond(
                .movedTemporarily, to: try await bob.request(.invite), headers: ["Contact": "<sip:desk@\(host)>"])
            guard permission == .allowed else {
                _ = try await alice.response(480)
                continue
            }
            let received = try await carol.request(.invite)
            #expect(received.uri.user == "desk")
            carol.respond(.busyHere, to: received)
            _ = try await alice.response(486)
        }
        // Those that come again count, too.
        #expect((carol.count("INVITE") > 0) == (permission == .allowed))
        await node.stop()
    }
}
