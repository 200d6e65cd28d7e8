// Dialogs: identifiers, routes, numbers.

import Testing

@testable import SIPCore

@Suite struct DialogTests {
    private let via = Via(.udp, SIPHostPort(.name("node.example.com")), branch: "z9hG4bKnode1")

    private func answer(
        _ request: SIPRequest, _ status: SIPStatus = .ok, tag: String? = "callee",
        contact: String? = "<sip:bob@192.0.2.4>", recordRoute: String? = nil
    ) -> SIPResponse {
        var response = SIPResponse(status, to: request, tag: tag)
        response.headers["Contact"] = contact
        response.headers["Record-Route"] = recordRoute
        return response
    }

    private func clientDialog(recordRoute: String? = nil) throws -> Dialog {
        let request = try SIPRequest.sample()
        return try #require(Dialog(sent: request, received: answer(request, recordRoute: recordRoute)))
    }

    private func serverDialog(recordRoute: String? = nil) throws -> Dialog {
        var headers: SIPHeaders = ["Contact": "<sip:alice@pc33.atlanta.example.com>"]
        headers["Record-Route"] = recordRoute
        let request = try SIPRequest.sample(headers: headers)
        return try #require(Dialog(received: request, tag: "callee", state: .early))
    }

    @Test("S-20: a dialog is Call-ID, local tag and remote tag, seen from either side")
    func identifiers() throws {
        var client = try clientDialog()
        let server = try serverDialog()
        #expect(client.id == DialogID(callID: "a84b4c76e66710", localTag: "1928301774", remoteTag: "callee"))
        #expect(server.id == DialogID(callID: "a84b4c76e66710", localTag: "callee", remoteTag: "1928301774"))
        #expect(client.state == .confirmed)
        #expect(server.state == .early)
        #expect(DialogID(received: client.request(.bye, via: via)) == server.id)
        #expect(DialogID(received: try SIPRequest.sample()) == nil)
    }

    @Test("S-20: no dialog without To tag or Contact, of 100 or of a failure")
    func noDialog() throws {
        let request = try SIPRequest.sample()
        #expect(Dialog(sent: request, received: answer(request, .ringing, tag: nil)) == nil)
        #expect(Dialog(sent: request, received: answer(request, contact: nil)) == nil)
        #expect(Dialog(sent: request, received: answer(request, .trying)) == nil)
        #expect(Dialog(sent: request, received: answer(request, .busyHere)) == nil)
        #expect(Dialog(received: request, tag: "t", state: .early) == nil)
    }

    @Test("S-20: forks: several early dialogs, the first 2xx wins, a second is superfluous, a repeated one is told")
    func forks() throws {
        let request = try SIPRequest.sample()
        var forks = ForkedInvite(request)
        #expect(forks.receive(SIPResponse(.trying, to: request, tag: nil)) == .progress)
        guard case .early(let one) = forks.receive(answer(request, .ringing, tag: "1")),
            case .early(let two) = forks.receive(answer(request, .sessionProgress, tag: "2"))
        else { throw TestFailure("no early dialogs") }
        #expect(one.id.remoteTag == "1")
        #expect(two.id.remoteTag == "2")
        guard case .answered(let winner) = forks.receive(answer(request, tag: "2")) else { throw TestFailure("") }
        #expect(winner.state == .confirmed)
        guard case .superfluous(let loser) = forks.receive(answer(request, tag: "3")) else { throw TestFailure("") }
        #expect(loser.acknowledgement(of: request.sequence, via: via).to.tag == "3")
        guard case .repeated = forks.receive(answer(request, tag: "2")) else { throw TestFailure("") }
        guard case .repeated = forks.receive(answer(request, tag: "3")) else { throw TestFailure("") }
        #expect(forks.winner == "2")
    }

    @Test("S-20: the number of forks is bounded")
    func forkCapacity() throws {
        let request = try SIPRequest.sample()
        var forks = ForkedInvite(request, capacity: 2)
        for tag in ["1", "2", "3"] { _ = forks.receive(answer(request, .ringing, tag: tag)) }
        #expect(forks.dialogs.count == 2)
        #expect(forks.receive(answer(request, tag: "3")) == .unusable)
    }

    @Test("S-21: loose routing: the target in the Request-URI, the route reversed at the client")
    func looseRouting() throws {
        var client = try clientDialog(recordRoute: "<sip:p2.example.com;lr>, <sip:p1.example.com;lr>")
        let bye = client.request(.bye, via: via)
        #expect(bye.uri.description == "sip:bob@192.0.2.4")
        #expect(bye.headers.all("Route") == ["<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"])
        #expect(bye.nextHop == client.nextHop)
        #expect(client.nextHop.description == "sip:p1.example.com;lr")
        var server = try serverDialog(recordRoute: "<sip:p2.example.com;lr>, <sip:p1.example.com;lr>")
        let fromServer = server.request(.bye, via: via)
        #expect(fromServer.headers.all("Route") == ["<sip:p2.example.com;lr>", "<sip:p1.example.com;lr>"])
        #expect(fromServer.from.tag == "callee")
    }

    @Test("S-21: strict routing: the first router in the Request-URI, the target last in Route")
    func strictRouting() throws {
        var dialog = try serverDialog(recordRoute: "<sip:p1.example.com;method=INVITE>, <sip:p2.example.com;lr>")
        let request = dialog.request(.info, via: via)
        #expect(request.uri.description == "sip:p1.example.com")
        #expect(
            request.headers.all("Route") == ["<sip:p2.example.com;lr>", "<sip:alice@pc33.atlanta.example.com>"])
        #expect(dialog.nextHop.place?.description == "p1.example.com")
        var alone = try serverDialog(recordRoute: "<sip:p1.example.com>")
        let bye = alone.request(.bye, via: via)
        #expect(bye.uri == alone.nextHop)
        #expect(bye.headers.all("Route") == ["<sip:alice@pc33.atlanta.example.com>"])
    }

    @Test("S-21: a 2xx computes the route of its early dialog anew; later responses do not change it")
    func routeOfSuccess() throws {
        let request = try SIPRequest.sample()
        var dialog = try #require(
            Dialog(sent: request, received: answer(request, .ringing, recordRoute: "<sip:old.example.com;lr>")))
        dialog.confirm(with: answer(request, recordRoute: "<sip:new.example.com;lr>"))
        #expect(dialog.routeSet.map(\.description) == ["<sip:new.example.com;lr>"])
        dialog.confirm(with: answer(request, recordRoute: "<sip:later.example.com;lr>"))
        #expect(dialog.routeSet.map(\.description) == ["<sip:new.example.com;lr>"])
    }

    @Test("S-22: CSeq grows with every request; ACK has the INVITE's; a lower one is 500, a gap is allowed")
    func sequences() throws {
        var client = try clientDialog()
        #expect(client.request(.info, via: via).sequence == 314160)
        #expect(client.request(.bye, via: via).sequence == 314161)
        #expect(client.acknowledgement(of: 314159, via: via).cseq == CSeq(314159, .ack))
        client.skipSequence(by: 100)
        #expect(client.request(.bye, via: via).sequence == 314262)
        var server = try serverDialog()
        #expect(server.receive(try .sample(.info, sequence: 314170)) == nil)
        #expect(server.receive(try .sample(.info, sequence: 314165))?.status == .serverInternalError)
        #expect(server.receive(try .sample(.ack, sequence: 314159)) == nil)
        #expect(server.remoteSequence == 314170)
    }

    @Test("S-23: glare: 491 while our own is pending, 500 with Retry-After while theirs is")
    func glare() {
        var gate = ModificationGate()
        gate.sentInvite()
        gate.sentOffer()
        #expect(!gate.mayInvite)
        #expect(gate.receiveInvite(hasOffer: true, retryAfter: 3) == SIPRefusal(.requestPending))
        #expect(gate.receiveUpdate(hasOffer: true, retryAfter: 3) == SIPRefusal(.requestPending))
        #expect(gate.receiveUpdate(hasOffer: false, retryAfter: 3) == nil)
        gate.settled()
        gate.invitingEnded()
        #expect(gate.receiveInvite(hasOffer: true, retryAfter: 3) == nil)
        #expect(!gate.mayInvite)
        let busy = SIPRefusal(.serverInternalError, headers: ["Retry-After": "10"])
        #expect(gate.receiveInvite(hasOffer: true, retryAfter: 99) == busy)
        #expect(gate.receiveUpdate(hasOffer: true, retryAfter: 10) == busy)
    }

    @Test("S-23: the wait after a 491 is 2.1 to 4 s for the owner of the Call-ID and up to 2 s for the other")
    func backoff() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let owner = ModificationGate.backoff(ownsCallID: true, using: &generator)
            let other = ModificationGate.backoff(ownsCallID: false, using: &generator)
            #expect(owner >= .milliseconds(2100) && owner <= .seconds(4))
            #expect(other >= .zero && other <= .seconds(2))
        }
    }

    @Test("S-24: 481 and 408 end the dialog; 488, 491 and 500 leave it", arguments: [481, 408, 488, 491, 500, 200])
    func failures(code: UInt16) throws {
        var dialog = try clientDialog()
        let request = dialog.request(.invite, via: via)
        dialog.receive(SIPResponse(SIPStatus(code, ""), to: request, tag: nil))
        #expect((dialog.state == .terminated) == [481, 408].contains(code))
    }

    @Test("A target refresh moves the peer, and only INVITE and UPDATE are one")
    func targetRefresh() throws {
        var dialog = try serverDialog()
        dialog.refreshTarget(.info, ["Contact": "<sip:alice@elsewhere.example.com>"])
        #expect(dialog.remoteTarget.description == "sip:alice@pc33.atlanta.example.com")
        dialog.refreshTarget(.update, ["Contact": "<sip:alice@elsewhere.example.com>"])
        #expect(dialog.remoteTarget.description == "sip:alice@elsewhere.example.com")
    }

    @Test("S-20: header fields and the method of a Contact are no part of the Request-URI")
    func targetWithHeaders() throws {
        var dialog = try serverDialog()
        dialog.refreshTarget(.update, ["Contact": "<sip:alice@pc33.example.com;method=BYE;x=1?Subject=hello>"])
        let bye = dialog.request(.bye, via: Via(.udp, try SIPHostPort("node.example.com"), branch: "z9hG4bKone"))
        #expect(bye.uri.description == "sip:alice@pc33.example.com;x=1")
        #expect(try SIPParser.request(bye.bytes) == bye)
    }

    @Test("S-04: a 2xx is repeated from T1 to T2 until its ACK, and given up after 32 s")
    func successRetransmission() throws {
        let request = try SIPRequest.sample()
        let response = SIPResponse(.ok, to: request, tag: "callee")
        var machine = SuccessRetransmission(response)
        var now = machine.firstInterval
        var sent: [Duration] = []
        while case .send(_, let next) = machine.step() {
            sent.append(now)
            now += next
        }
        #expect(sent == [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500].map { .milliseconds($0) })
        #expect(now == .seconds(32))
        var ack = try SIPRequest.sample(.ack, toTag: "callee")
        #expect(machine.isAcknowledged(by: ack))
        ack.sequence += 1
        #expect(!machine.isAcknowledged(by: ack))
    }
}
