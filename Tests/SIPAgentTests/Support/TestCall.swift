// An answered call between two scripted peers.

import AgentSupport
import RTPWire
import SIPCore

@testable import SIPAgent

@AgentActor final class TestCall {
    let node: TestAgent
    let caller: TestPeer
    let callee: TestPeer
    /// What the caller sent and the callee got.
    let invite: SIPRequest
    let received: SIPRequest
    /// What the caller got.
    let answer: SIPResponse
    /// Their dialogs with the node.
    let a: TestDialog
    let b: TestDialog

    init(
        times: TransactionTimes = TestAgent.quick, callerHeaders: SIPHeaders = [:],
        calleeHeaders: SIPHeaders = ["Allow": "INVITE, ACK, BYE, CANCEL, UPDATE, INFO, MESSAGE"],
        change: (inout SIPConfiguration) -> Void = { _ in }
    ) async throws {
        callee = try await TestPeer("bob", node: 0)
        node = try await TestAgent(to: [callee.udpPort], times: times, change: change)
        callee.node = node.udpPort
        caller = try await TestPeer("alice", node: node.udpPort)
        invite = try caller.initial(
            .invite, "sip:bob@127.0.0.1", headers: callerHeaders, body: TestSDP.audio(host: 1))
        caller.send(.request(invite))
        received = try await callee.request(.invite)
        callee.respond(.ringing, to: received)
        _ = try await caller.response(180)
        let ok = callee.respond(.ok, to: received, headers: calleeHeaders, body: TestSDP.audio(host: 2))
        _ = ok
        answer = try await caller.response(200)
        a = try caller.dialog(invite, answer)
        a.acknowledge(answer)
        _ = try await callee.request(.ack)
        b = try callee.dialog(answering: received)
    }
}
