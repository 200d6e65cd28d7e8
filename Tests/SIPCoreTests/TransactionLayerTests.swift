// Which transaction a message belongs to.

import Testing

@testable import SIPCore

@Suite struct TransactionLayerTests {
    private func begin(_ layer: inout TransactionLayer, _ request: SIPRequest) throws -> TransactionID {
        for case .request(let id, _) in layer.receive(request, isReliable: false, tag: { "own" }) { return id }
        throw TestFailure("no transaction")
    }

    private func responses(_ events: [TransactionEvent]) -> [UInt16] {
        events.compactMap { event in
            switch event {
            case .transaction(_, .send(.response(let response))), .respond(let response): response.status.code
            default: nil
            }
        }
    }

    @Test("S-03: branch, sent-by and method make a transaction; the same branch of two hosts does not")
    func matching() throws {
        var layer = TransactionLayer()
        let one = try SIPRequest.sample()
        _ = try begin(&layer, one)
        #expect(layer.receive(one, isReliable: false) { "x" }.isEmpty)
        var samePlace = one
        samePlace.vias[0].sentBy = try SIPHostPort("PC33.Atlanta.example.com:5060")
        #expect(layer.receive(samePlace, isReliable: false) { "x" }.isEmpty)
        _ = try begin(&layer, try .sample(sentBy: "other.example.com", callID: "second"))
        _ = try begin(&layer, try .sample(.options, callID: "third"))
        #expect(layer.count == 3)
    }

    @Test("S-03: without a branch of RFC 3261 everything else is compared", arguments: [nil, "z9hG4bK", "390skdjuw"])
    func oldMatching(branch: String?) throws {
        var layer = TransactionLayer()
        var request = try SIPRequest.sample()
        request.vias[0].parameters["branch"] = branch
        let id = try begin(&layer, request)
        #expect(layer.receive(request, isReliable: false) { "x" }.isEmpty)
        _ = layer.respond(SIPResponse(.busyHere, to: request, tag: "own"), to: id)
        var ack = request
        ack.method = .ack
        ack.to.tag = "own"
        let events = layer.receive(ack, isReliable: false) { "x" }
        #expect(events.contains(.transaction(id, .setTimer(.i, after: .seconds(5)))))
        var next = request
        next.sequence += 1
        _ = try begin(&layer, next)
    }

    @Test("S-04: an ACK of a 2xx belongs to its dialog")
    func acknowledgementOfSuccess() throws {
        var layer = TransactionLayer()
        let request = try SIPRequest.sample()
        let id = try begin(&layer, request)
        _ = layer.respond(SIPResponse(.ok, to: request, tag: "own"), to: id)
        let ack = try SIPRequest.sample(.ack, branch: "z9hG4bKother", toTag: "own")
        #expect(layer.receive(ack, isReliable: false) { "x" } == [.acknowledgement(ack)])
    }

    @Test("S-04: a 2xx whose transaction is over is told as a stray one; other responses are dropped")
    func strayResponses() throws {
        var layer = TransactionLayer()
        let request = try SIPRequest.sample()
        let ok = SIPResponse(.ok, to: request, tag: "t")
        #expect(layer.receive(ok) == [.strayResponse(ok)])
        #expect(layer.receive(SIPResponse(.busyHere, to: request, tag: "t")).isEmpty)
    }

    @Test("S-05: a request that comes on two ways is 482 on the second")
    func merged() throws {
        var layer = TransactionLayer()
        _ = try begin(&layer, try .sample())
        let second = try SIPRequest.sample(branch: "z9hG4bKotherway")
        #expect(responses(layer.receive(second, isReliable: false) { "x" }) == [482])
        #expect(layer.count == 1)
    }

    @Test("S-06: CANCEL is answered with 200 and the tag of the INVITE, and the INVITE is to be ended")
    func cancel() throws {
        var layer = TransactionLayer()
        let invite = try SIPRequest.sample()
        let id = try begin(&layer, invite)
        _ = layer.respond(SIPResponse(.ringing, to: invite, tag: "own"), to: id)
        let cancel = invite.cancellation()
        let events = layer.receive(cancel, isReliable: false) { "x" }
        #expect(responses(events) == [200])
        #expect(events.contains(.cancelled(id, by: cancel)))
        for case .transaction(_, .send(.response(let response))) in events { #expect(response.to.tag == "own") }
        let terminated = SIPResponse(.requestTerminated, to: invite, tag: "own")
        #expect(responses(layer.respond(terminated, to: id)) == [487])
    }

    @Test("S-06: CANCEL after the final response changes nothing; CANCEL of nothing is 481")
    func cancelTooLate() throws {
        var layer = TransactionLayer()
        let invite = try SIPRequest.sample()
        let id = try begin(&layer, invite)
        _ = layer.respond(SIPResponse(.ok, to: invite, tag: "own"), to: id)
        let events = layer.receive(invite.cancellation(), isReliable: false) { "x" }
        #expect(responses(events) == [200])
        let isCancelled = events.contains { if case .cancelled = $0 { true } else { false } }
        #expect(!isCancelled)
        let unknown = try SIPRequest.sample(branch: "z9hG4bKunknown").cancellation()
        #expect(responses(layer.receive(unknown, isReliable: false) { "x" }) == [481])
    }

    @Test("S-06: an INVITE can be cancelled only between its first provisional and its final response")
    func cancellable() throws {
        var layer = TransactionLayer()
        let invite = try SIPRequest.sample()
        let (id, _) = try layer.send(invite, isReliable: false)
        #expect(!layer.isCancellable(id))
        _ = layer.receive(SIPResponse(.ringing, to: invite, tag: "t"))
        #expect(layer.isCancellable(id))
        let cancel = invite.cancellation()
        #expect(cancel.vias == invite.vias)
        #expect(cancel.uri == invite.uri)
        #expect(cancel.cseq == CSeq(invite.sequence, .cancel))
        let (cancelID, _) = try layer.send(cancel, isReliable: false)
        #expect(cancelID != id)
        _ = layer.receive(SIPResponse(.requestTerminated, to: invite, tag: "t"))
        #expect(!layer.isCancellable(id))
    }

    @Test("RFC 4475 bcast: a response with two Vias is dropped")
    func broadcast() throws {
        var layer = TransactionLayer()
        #expect(layer.receive(try SIPParser.response(ApplicationMessages.bcast)).isEmpty)
    }

    @Test("The number of server transactions is bounded; beyond it requests get 503")
    func capacity() throws {
        var layer = TransactionLayer(capacity: 2)
        for number in 0..<2 {
            _ = try begin(&layer, try .sample(branch: "z9hG4bK\(number)x", callID: "c\(number)"))
        }
        let refused = layer.receive(try .sample(branch: "z9hG4bKlast", callID: "last"), isReliable: false) { "x" }
        #expect(responses(refused) == [503])
        #expect(layer.count == 2)
    }

    @Test("A transaction that is over is forgotten, with its key")
    func forgotten() throws {
        var layer = TransactionLayer()
        let bye = try SIPRequest.sample(.bye, toTag: "t")
        let (id, _) = try layer.send(bye, isReliable: true)
        #expect(throws: TransactionLayer.Failure.branchInUse) { try layer.send(bye, isReliable: true) }
        #expect(layer.receive(SIPResponse(.ok, to: bye, tag: nil)).last == .transaction(id, .terminated))
        #expect(layer.count == 0)
        #expect(layer.fired(.f, of: id).isEmpty)
        _ = try layer.send(bye, isReliable: true)
    }
}
