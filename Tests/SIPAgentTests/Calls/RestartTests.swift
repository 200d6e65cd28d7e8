// Calls that outlive the daemon.

import AgentSupport
import RTPWire
import SIPCore
import Sessions
import Testing

@testable import SIPAgent

@Suite("Restart", .timeLimit(.minutes(1))) @AgentActor struct RestartTests {
    /// The next daemon on the same UDP port, with the same journal and fast path.
    private func restarted(_ call: TestCall) async throws -> TestAgent {
        await call.node.stop()
        return try await TestAgent(
            to: [call.callee.udpPort], directory: call.node.directory, routes: call.node.routes,
            listeners: [.init(address: TestPeer.loopback, transport: .udp, transportPort: call.node.udpPort)])
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
        let third = try await restarted(call)
        #expect(await third.agent.sessions().isEmpty)
        await third.stop()
    }
}
