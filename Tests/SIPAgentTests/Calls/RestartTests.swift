// Calls that outlive the daemon, and calls that do not.

import AgentSupport
import Logging
import RTPWire
import SIPCore
import Sessions
import TestSupport
import Testing

@testable import SIPAgent

@Suite("Restart", .timeLimit(.minutes(1))) @AgentActor struct RestartTests {
    /// The next daemon on the same UDP port, with the same journal and fast path.
    private func next(after node: TestAgent) async throws -> TestAgent {
        try await TestAgent(
            to: [], directory: node.directory, routes: node.routes,
            listeners: [.init(address: TestPeer.loopback, transport: .udp, transportPort: node.udpPort)])
    }

    private func restarted(_ call: TestCall) async throws -> TestAgent {
        await call.node.stop()
        return try await next(after: call.node)
    }

    /// A call that rings at all of the peers.
    private struct Ringing {
        let node: TestAgent
        let alice: TestPeer
        let invite: SIPRequest
        let callees: [TestPeer]
        let received: [SIPRequest]
        /// The tag of what alice has got.
        let tag: String?

        @AgentActor
        init(_ names: [String], ringing: Set<String>) async throws {
            var callees: [TestPeer] = []
            for name in names { callees.append(try await TestPeer(name, node: 0)) }
            node = try await TestAgent(to: callees.map(\.udpPort), forking: .parallel)
            for callee in callees { callee.node = node.udpPort }
            alice = try await TestPeer("alice", node: node.udpPort)
            invite = try alice.initial(.invite, "sip:x@127.0.0.1", body: TestSDP.audio(host: 1))
            alice.send(.request(invite))
            var received: [SIPRequest] = []
            var tag: String?
            for callee in callees {
                let request = try await callee.request(.invite)
                received.append(request)
                guard ringing.contains(callee.name) else { continue }
                callee.respond(.ringing, to: request)
                tag = try await alice.response(180).to.tag
            }
            self.callees = callees
            self.received = received
            self.tag = tag
        }
    }

    @Test("A call goes on after a restart: routes stay, the CSeq goes up, and it can be changed and hung up")
    func adoption() async throws {
        let call = try await TestCall()
        let routes = Set(call.node.routes.reports.keys)
        let node = try await restarted(call)
        #expect(await node.agent.sessions().map(\.name) == ["sip-1"])
        #expect(Set(node.routes.reports.keys) == routes)
        call.a.send(.invite, body: TestSDP.audio(host: 1, udpPort: 4800, version: 2))
        let change = try await call.callee.request(.invite)
        #expect(change.sequence > call.received.sequence + 1)
        #expect(change.callID == call.received.callID)
        call.callee.respond(.ok, to: change, body: TestSDP.audio(host: 2))
        call.a.acknowledge(try await call.caller.response(200))
        call.b.send(.bye)
        call.caller.respond(.ok, to: try await call.caller.request(.bye))
        _ = try await call.callee.response(200, to: .bye)
        #expect(try await node.eventually { await node.agent.sessions().isEmpty })
        await node.stop()
        let third = try await next(after: node)
        #expect(await third.agent.sessions().isEmpty)
        await third.stop()
    }

    @Test("A call whose media cannot be taken over is ended with BYE on both sides, and its routes go")
    func lost() async throws {
        let call = try await TestCall()
        await call.node.kill()
        call.node.routes.hasNoUDPPorts = true
        let node = try await next(after: call.node)
        for (peer, dialog) in [(call.caller, call.a), (call.callee, call.b)] {
            let bye = try await peer.request(.bye)
            #expect(bye.callID == dialog.dialog.id.callID)
            #expect(bye.sequence > 100)
            peer.respond(.ok, to: bye)
        }
        #expect(try await node.eventually { await node.agent.sessions().isEmpty })
        #expect(node.routes.reports.isEmpty)
        await node.stop()
    }

    @Test("After a restart nobody rings for nothing, and the caller gets a final answer of the dialog that it knows")
    func ringing() async throws {
        let call = try await Ringing(["bob"], ringing: ["bob"])
        await call.node.kill()
        let node = try await next(after: call.node)
        let refusal = try await call.alice.response(503)
        #expect(refusal.to.tag == call.tag)
        #expect(refusal.headers["Retry-After"] != nil)
        call.alice.send(.request(call.invite.acknowledgement(ofFailure: refusal)))
        let (bob, received) = (call.callees[0], call.received[0])
        let cancel = try await bob.request(.cancel)
        #expect(cancel.vias.first?.branch == received.vias.first?.branch)
        #expect(cancel.uri == received.uri)
        #expect(cancel.from.tag == received.from.tag)
        #expect(await node.agent.sessions().count == 1)
        bob.respond(.ok, to: cancel)
        bob.respond(.requestTerminated, to: received)
        let acknowledgement = try await bob.request(.ack)
        #expect(acknowledgement.vias.first?.branch == received.vias.first?.branch)
        #expect(try await node.eventually { await node.agent.sessions().isEmpty })
        await node.kill()
        let third = try await next(after: node)
        #expect(await third.agent.sessions().isEmpty)
        await third.stop()
    }

    @Test("A callee that took the call while nobody listened is acknowledged and ended with BYE")
    func answeredMeanwhile() async throws {
        let call = try await Ringing(["bob"], ringing: ["bob"])
        await call.node.kill()
        let node = try await next(after: call.node)
        let (bob, received) = (call.callees[0], call.received[0])
        let cancel = try await bob.request(.cancel)
        bob.respond(.transactionDoesNotExist, to: cancel)
        bob.respond(.ok, to: received, body: TestSDP.audio(host: 2))
        _ = try await bob.request(.ack)
        bob.respond(.ok, to: try await bob.request(.bye))
        _ = try await call.alice.response(503)
        #expect(try await node.eventually { await node.agent.sessions().isEmpty })
        await node.stop()
    }

    @Test("A slower callee that could not be cancelled before the restart is after it, and the call goes on")
    func slower() async throws {
        let call = try await Ringing(["bob", "carol"], ringing: ["bob"])
        let (bob, carol) = (call.callees[0], call.callees[1])
        bob.respond(.ok, to: call.received[0], body: TestSDP.audio(host: 2))
        let answer = try await call.alice.response(200)
        try call.alice.dialog(call.invite, answer).acknowledge(answer)
        _ = try await bob.request(.ack)
        await call.node.kill()
        #expect(carol.count("CANCEL") == 0)
        let node = try await next(after: call.node)
        let cancel = try await carol.request(.cancel)
        carol.respond(.ok, to: cancel)
        carol.respond(.requestTerminated, to: call.received[1])
        _ = try await carol.request(.ack)
        try call.alice.dialog(call.invite, answer).send(.bye)
        bob.respond(.ok, to: try await bob.request(.bye))
        _ = try await call.alice.response(200, to: .bye)
        #expect(try await node.eventually { await node.agent.sessions().isEmpty })
        await node.stop()
    }

    @Test("What was read holds until it is written anew: a daemon that dies while it starts loses no call")
    func deathAtStart() async throws {
        let call = try await TestCall()
        await call.node.kill()
        let journal = try CallJournal(runtimeDirectory: call.node.directory.path, logger: .init(label: "test"))
        #expect(journal.read().map(\.name) == ["sip-1"])
        let again = try CallJournal(runtimeDirectory: call.node.directory.path, logger: .init(label: "test"))
        #expect(again.read().map(\.name) == ["sip-1"])
        let node = try await next(after: call.node)
        #expect(await node.agent.sessions().map(\.name) == ["sip-1"])
        await node.stop()
    }
}
