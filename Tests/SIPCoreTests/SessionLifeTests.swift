// What spans several parts: sizes, own routes, the journal, delayed offers.

import Foundation
import SDP
import Testing

@testable import SIPCore

@Suite struct SessionLifeTests {
    @Test("S-09: a request above 1300 bytes, or within 200 of the path's MTU, must not go over UDP")
    func size() {
        #expect(!SIPTransport.isTooLargeForUDP(bytes: 1300, pathMTU: nil))
        #expect(SIPTransport.isTooLargeForUDP(bytes: 1301, pathMTU: nil))
        #expect(SIPTransport.isTooLargeForUDP(bytes: 1301, pathMTU: 1500))
        #expect(!SIPTransport.isTooLargeForUDP(bytes: 8000, pathMTU: 9000))
    }

    @Test("S-21: a Route that names this node is taken away, others stay")
    func ownRoute() throws {
        let own = [SIPHostPort(.name("node.example.com"), 5060)]
        var request = try SIPRequest.sample(headers: ["Route": "<sip:NODE.example.com;lr>, <sip:p2.example.com;lr>"])
        request.takeOwnRoute(ownPlaces: own)
        #expect(request.headers.all("Route") == ["<sip:p2.example.com;lr>"])
        request.takeOwnRoute(ownPlaces: own)
        #expect(request.headers.all("Route") == ["<sip:p2.example.com;lr>"])
    }

    @Test("A dialog survives the journal")
    func journal() throws {
        let request = try SIPRequest.sample(headers: [
            "Record-Route": "<sip:p1.example.com;lr>", "m": "sip:a@192.0.2.1",
        ])
        let dialog = try #require(Dialog(received: request, tag: "own", state: .confirmed))
        var again = try JSONDecoder().decode(Dialog.self, from: JSONEncoder().encode(dialog))
        #expect(again == dialog)
        again.skipSequence(by: 64)
        let bye = again.request(.bye, via: request.vias[0])
        #expect(bye.sequence == 65)
        #expect(bye.headers.all("Route") == ["<sip:p1.example.com;lr>"])
    }

    @Test("S-29: an INVITE without offer: the offer in the 200, the answer in the ACK")
    func delayedOffer() throws {
        var session = OfferAnswer()
        let offer = try OfferAnswerTests.description("m=audio 5004 RTP/AVP 0")
        try session.sendOffer(offer)
        #expect(session.state == .offered(offer))
        let agreement = try session.receiveAnswer(
            try OfferAnswerTests.description("m=audio 7000 RTP/AVP 0\na=recvonly"))
        #expect(agreement.media[0].sends)
        #expect(!agreement.media[0].receives)
    }

    @Test("S-21: the server's responses repeat Record-Route in order; 100 and failures do not")
    func recordRoute() throws {
        let route = "<sip:p2.example.com;lr>, <sip:p1.example.com;lr>"
        let request = try SIPRequest.sample(headers: ["Record-Route": route])
        #expect(SIPResponse(.ringing, to: request, tag: "t").headers.all("Record-Route") == [route])
        #expect(SIPResponse(.ok, to: request, tag: "t").headers.all("Record-Route") == [route])
        #expect(SIPResponse(.trying, to: request, tag: "t").headers.fields.isEmpty)
        #expect(SIPResponse(.busyHere, to: request, tag: "t").headers.fields.isEmpty)
    }

    @Test("S-06: a 2xx that crosses the CANCEL makes a dialog, which is acknowledged and ended")
    func crossing() throws {
        var layer = TransactionLayer()
        let invite = try SIPRequest.sample()
        var forks = ForkedInvite(invite)
        let (id, _) = try layer.send(invite, isReliable: false)
        _ = layer.receive(SIPResponse(.ringing, to: invite, tag: "t"))
        _ = try layer.send(invite.cancellation(), isReliable: false)
        let ok = SIPResponse(.ok, to: invite, tag: "t", headers: ["Contact": "<sip:bob@192.0.2.4>"])
        #expect(layer.receive(ok).contains(.transaction(id, .deliver(ok))))
        guard case .answered(var dialog) = forks.receive(ok) else { throw TestFailure("no dialog") }
        let via = Via(.udp, invite.vias[0].sentBy, branch: "z9hG4bKnew")
        #expect(dialog.acknowledgement(of: invite.sequence, via: via).sequence == invite.sequence)
        #expect(dialog.request(.bye, via: via).sequence == invite.sequence + 1)
    }

    @Test("S-31: REFER is refused politely, with what is served")
    func refer() throws {
        let policy = RequestPolicy(methods: [.invite, .ack, .bye], extensions: [])
        let request = try SIPRequest.sample(.refer, toTag: "t", headers: ["Refer-To": "<sip:c@example.com>"])
        let response = try #require(policy.refusal(of: request)).response(to: request, tag: "own")
        #expect(response.status.code == 405)
        #expect(response.to.tag == "t")
        #expect(response.headers["Allow"] == "INVITE, ACK, BYE")
    }
}
