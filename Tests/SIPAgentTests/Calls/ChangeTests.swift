// Changes of a session, from both sides.

import AgentSupport
import RTPWire
import SDP
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Changes", .timeLimit(.minutes(1))) @AgentActor struct ChangeTests {
    private func direction(_ body: [UInt8]) throws -> MediaDirection {
        let description = try TestSDP.parsed(body)
        return description.direction(of: try #require(description.media.first))
    }

    @Test(
        "O-03: hold and resume pass by re-INVITE and by UPDATE, from either side",
        arguments: [true, false], [SIPMethod.invite, .update])
    func hold(byCaller: Bool, method: SIPMethod) async throws {
        let call = try await TestCall(callerHeaders: ["Allow": "INVITE, ACK, BYE, CANCEL, UPDATE"])
        let (from, to) = byCaller ? (call.a, call.callee) : (call.b, call.caller)
        let (own, other) = byCaller ? (1, 2) : (2, 1)
        for (version, (offer, answer)) in [
            ("sendonly", "recvonly"), ("inactive", "inactive"), ("sendrecv", "sendrecv"),
        ]
        .enumerated() {
            from.send(method, body: TestSDP.audio(host: own, version: version + 2, direction: offer))
            let change = try await to.request(method)
            #expect(try direction(change.body).rawValue == offer)
            let ok = to.respond(
                .ok, to: change, body: TestSDP.audio(host: other, version: version + 2, direction: answer))
            _ = ok
            let accepted = try await from.peer.response(200, to: method)
            #expect(try direction(accepted.body).rawValue == answer)
            if method == .invite {
                _ = try await to.request(.ack)
                from.acknowledge(accepted)
            }
        }
        await call.node.stop()
    }

    @Test("S-24: a re-INVITE that is refused leaves the call as it was")
    func refused() async throws {
        let call = try await TestCall()
        let before = call.node.routes.destinations
        call.a.send(.invite, body: TestSDP.audio(host: 1, udpPort: 4500, version: 2))
        let change = try await call.callee.request(.invite)
        call.callee.respond(.notAcceptableHere, to: change, headers: ["Warning": "304 bob \"no\""])
        _ = try await call.callee.request(.ack)
        let refusal = try await call.caller.response(488)
        #expect(refusal.headers["Warning"] == "304 bob \"no\"")
        #expect(call.node.routes.destinations == before)
        #expect(await call.node.agent.sessions().count == 1)
        call.a.send(.bye)
        _ = try await call.callee.request(.bye)
        await call.node.stop()
    }

    @Test("S-24: 481 to a re-INVITE ends the call on both sides")
    func gone() async throws {
        let call = try await TestCall()
        let invite = call.a.send(.invite, body: TestSDP.audio(host: 1, udpPort: 4500, version: 2))
        let change = try await call.callee.request(.invite)
        call.callee.respond(.transactionDoesNotExist, to: change)
        let refusal = try await call.caller.response(481)
        call.caller.send(.request(invite.acknowledgement(ofFailure: refusal)))
        _ = try await call.caller.request(.bye)
        #expect(try await call.node.eventually { await call.node.agent.sessions().isEmpty })
        await call.node.stop()
    }

    @Test("S-23: a re-INVITE that crosses the node's gets 491, and a second one before the first is answered 500")
    func glare() async throws {
        let call = try await TestCall()
        call.a.send(.invite, body: TestSDP.audio(host: 1, version: 2, direction: "sendonly"))
        let change = try await call.callee.request(.invite)
        call.b.send(.invite, body: TestSDP.audio(host: 2, version: 2, direction: "sendonly"))
        _ = try await call.callee.response(491)
        call.a.send(.invite, body: TestSDP.audio(host: 1, version: 3, direction: "inactive"))
        let busy = try await call.caller.response(500)
        #expect(busy.headers["Retry-After"] != nil)
        call.callee.respond(.ok, to: change, body: TestSDP.audio(host: 2, version: 2, direction: "recvonly"))
        _ = try await call.caller.response(200)
        await call.node.stop()
    }

    @Test("S-23: a 491 of the other side comes back to who changes the call, which goes on and can be changed later")
    func relayedGlare() async throws {
        let call = try await TestCall()
        let before = call.node.routes.destinations
        let first = call.a.send(.invite, body: TestSDP.audio(host: 1, udpPort: 4500, version: 2))
        call.callee.respond(.requestPending, to: try await call.callee.request(.invite))
        _ = try await call.callee.request(.ack)
        let refusal = try await call.caller.response(491)
        call.caller.send(.request(first.acknowledgement(ofFailure: refusal)))
        #expect(call.node.routes.destinations == before)
        call.a.send(.invite, body: TestSDP.audio(host: 1, udpPort: 4500, version: 3))
        let again = try await call.callee.request(.invite)
        call.callee.respond(.ok, to: again, body: TestSDP.audio(host: 2))
        call.a.acknowledge(try await call.caller.response(200))
        #expect(call.node.routes.destinations.contains("10.9.0.1:4500"))
        await call.node.stop()
    }

    @Test("S-29: a re-INVITE without offer gets the other side's offer, and the ACK carries the answer there")
    func delayedOffer() async throws {
        let call = try await TestCall()
        call.a.send(.invite)
        let change = try await call.callee.request(.invite)
        #expect(change.body.isEmpty)
        call.callee.respond(.ok, to: change, body: TestSDP.audio(host: 2, udpPort: 4600, version: 2))
        let offer = try await call.caller.response(200)
        #expect(!offer.body.isEmpty)
        call.a.acknowledge(offer, body: TestSDP.audio(host: 1, udpPort: 4700, version: 2))
        let ack = try await call.callee.request(.ack)
        #expect(!ack.body.isEmpty)
        #expect(
            try await call.node.eventually {
                call.node.routes.destinations.isSuperset(of: ["10.9.0.2:4600", "10.9.0.1:4700"])
            })
        await call.node.stop()
    }

    @Test("O-02: a re-INVITE with the same description is answered by the node alone")
    func refresh() async throws {
        let call = try await TestCall()
        call.a.send(.invite, body: TestSDP.audio(host: 1))
        let answer = try await call.caller.response(200)
        #expect(answer.body == call.answer.body)
        call.a.acknowledge(answer)
        call.a.send(.info)
        _ = try await call.callee.request(.info)
        #expect(call.callee.count("INVITE") == 1)
        await call.node.stop()
    }

    @Test("S-22: a request with a lower CSeq gets 500; REFER gets 405, and INFO and MESSAGE pass with their bodies")
    func requests() async throws {
        let call = try await TestCall()
        call.a.send(.refer, headers: ["Refer-To": "<sip:carol@127.0.0.1>"])
        let refusal = try await call.caller.response(405, to: .refer)
        #expect(refusal.headers["Allow"]?.contains("INVITE") == true)
        for method in [SIPMethod.info, .message] {
            call.b.send(method, headers: ["Content-Type": "text/plain"], body: Array("hello".utf8))
            let passed = try await call.caller.request(method)
            #expect(passed.body == Array("hello".utf8))
            #expect(passed.headers["Content-Type"] == "text/plain")
            call.caller.respond(.ok, to: passed)
            _ = try await call.callee.response(200, to: method)
        }
        var late = call.a.send(.options)
        _ = try await call.caller.response(200, to: .options)
        late.sequence -= 1
        late.vias = [call.caller.via()]
        call.caller.send(.request(late))
        _ = try await call.caller.response(500, to: .options)
        await call.node.stop()
    }
}
