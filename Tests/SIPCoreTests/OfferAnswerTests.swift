// Offers and answers of one side.

import RTPWire
import SDP
import Testing

@testable import SIPCore

@Suite struct OfferAnswerTests {
    /// A description of `media`, each the lines from `m=` on, with one address and version.
    static func description(
        _ media: String..., connection: String = "IN IP4 192.0.2.1", version: Int = 1
    ) throws -> SessionDescription {
        let head = "v=0\no=- 1 \(version) IN IP4 192.0.2.1\ns=-\nc=\(connection)\nt=0 0\n"
        return try SessionDescription(parsing: Array((head + media.joined(separator: "\n") + "\n").utf8))
    }

    private func agree(
        _ offer: SessionDescription, _ answer: SessionDescription
    ) throws -> OfferAnswer.Agreement {
        var session = OfferAnswer()
        try session.sendOffer(offer)
        return try session.receiveAnswer(answer)
    }

    private func medium(
        _ local: String, _ remote: String, connection: String = "IN IP4 198.51.100.2"
    ) throws -> NegotiatedMedium {
        let remote = try Self.description(remote, connection: connection)
        return try #require(try agree(try Self.description(local), remote).media.first)
    }

    @Test("O-01: an answer has as many m-lines as its offer, of the same kinds, and refused ones stay refused")
    func sameLines() throws {
        let offer = try Self.description("m=audio 5004 RTP/AVP 0", "m=video 0 RTP/AVP 31")
        for answer in [
            try Self.description("m=audio 6000 RTP/AVP 0"),
            try Self.description("m=video 6000 RTP/AVP 31", "m=audio 6002 RTP/AVP 0"),
            try Self.description("m=audio 6000 RTP/AVP 0", "m=video 6002 RTP/AVP 31"),
        ] {
            var session = OfferAnswer()
            try session.sendOffer(offer)
            #expect(throws: OfferAnswerError.self) { try session.receiveAnswer(answer) }
            #expect(session.state == .idle)
            #expect(session.agreed == nil)
        }
        let agreement = try agree(
            offer, try Self.description("m=audio 6000 RTP/AVP 0", "m=video 0 RTP/AVP 31"))
        #expect(agreement.media.map(\.isActive) == [true, false])
    }

    @Test("O-01: later offers never shrink, and a slot that was given up may be used for another kind")
    func laterOffers() throws {
        var session = OfferAnswer()
        _ = try session.receiveOffer(try Self.description("m=audio 5004 RTP/AVP 0", "m=video 5006 RTP/AVP 31"))
        _ = try session.sendAnswer(try Self.description("m=audio 6000 RTP/AVP 0", "m=video 0 RTP/AVP 31"))
        #expect(throws: OfferAnswerError.self) {
            try session.receiveOffer(try Self.description("m=audio 5004 RTP/AVP 0"))
        }
        // A medium may become one of another type in its place (RFC 3264 section 8.3.3).
        let changed = try Self.description("m=video 5004 RTP/AVP 31", "m=video 0 RTP/AVP 31")
        #expect(try session.receiveOffer(changed) == .changed)
        session.withdraw()
        _ = try session.receiveOffer(try Self.description("m=audio 5004 RTP/AVP 0", "m=video 0 RTP/AVP 31"))
        _ = try session.sendAnswer(try Self.description("m=audio 6000 RTP/AVP 0", "m=video 0 RTP/AVP 31"))
        let reused = try Self.description("m=audio 5004 RTP/AVP 0", "m=audio 5008 RTP/AVP 8", "m=video 5010 RTP/AVP 31")
        #expect(try session.receiveOffer(reused) == .changed)
    }

    @Test("O-01: one offer at a time; a refused one leaves the session as it was (S-24)")
    func oneAtATime() throws {
        var session = OfferAnswer()
        let first = try Self.description("m=audio 5004 RTP/AVP 0")
        _ = try session.receiveOffer(first)
        #expect(throws: OfferAnswerError.self) { try session.sendOffer(first) }
        let agreement = try session.sendAnswer(try Self.description("m=audio 6000 RTP/AVP 0"))
        _ = try session.receiveOffer(try Self.description("m=audio 5010 RTP/AVP 0", version: 2))
        session.withdraw()
        #expect(session.agreed == agreement)
        #expect(session.agreed?.media.first?.remoteUDPPort == 5004)
        #expect(throws: OfferAnswerError.self) { try session.sendAnswer(first) }
    }

    @Test("O-02: the same description again changes nothing; a new version does")
    func unchanged() throws {
        var session = OfferAnswer()
        let offer = try Self.description("m=audio 5004 RTP/AVP 0")
        #expect(try session.receiveOffer(offer) == .changed)
        _ = try session.sendAnswer(try Self.description("m=audio 6000 RTP/AVP 0"))
        #expect(try session.receiveOffer(offer) == .unchanged)
        session.withdraw()
        let next = try Self.description("m=audio 5004 RTP/AVP 0", "a=sendonly", version: 2)
        #expect(try session.receiveOffer(next) == .changed)
    }

    @Test("O-03: directions: both sides must agree, also where an answer asks for too much")
    func directions() throws {
        func flows(_ local: String, _ remote: String) throws -> [Bool] {
            let medium = try medium("m=audio 5004 RTP/AVP 0\na=\(local)", "m=audio 6000 RTP/AVP 0\na=\(remote)")
            return [medium.sends, medium.receives]
        }
        #expect(try flows("sendrecv", "sendrecv") == [true, true])
        #expect(try flows("sendonly", "recvonly") == [true, false])
        #expect(try flows("recvonly", "sendonly") == [false, true])
        #expect(try flows("inactive", "inactive") == [false, false])
        #expect(try flows("sendonly", "sendonly") == [false, false])
        #expect(try flows("recvonly", "sendrecv") == [false, true])
    }

    @Test("O-03: hold of RFC 2543: c=0.0.0.0 stops RTP and RTCP to the peer, and the ports stay")
    func oldHold() throws {
        let held = try medium("m=audio 5004 RTP/AVP 0", "m=audio 6000 RTP/AVP 0", connection: "IN IP4 0.0.0.0")
        #expect(held.isActive)
        #expect(held.isSilent)
        #expect(!held.sends)
        #expect(held.receives)
        #expect(held.remoteAddress == nil)
        #expect(held.remoteRTCPAddress == nil)
    }

    @Test("O-05: the address of a medium is its own, else the session's; IPv6 and groups with layers as well")
    func addresses() throws {
        let own = try medium("m=audio 5004 RTP/AVP 0", "m=audio 6000 RTP/AVP 0\nc=IN IP6 2001:db8::7")
        #expect(own.remoteAddress == IPAddress("2001:db8::7"))
        let session = try medium("m=audio 5004 RTP/AVP 0", "m=audio 6000 RTP/AVP 0")
        #expect(session.remoteAddress == IPAddress(198, 51, 100, 2))
        let group = try medium("m=audio 5004 RTP/AVP 0", "m=audio 6000 RTP/AVP 0\nc=IN IP4 239.1.2.3/32/3")
        #expect(group.remoteAddress == IPAddress(239, 1, 2, 3))
        let name = try medium("m=audio 5004 RTP/AVP 0", "m=audio 6000 RTP/AVP 0\nc=IN IP4 host.example.com")
        #expect(name.remoteAddress == nil)
    }

    @Test("O-06: RTCP: next port, a=rtcp with and without address, multiplexed only where both say so")
    func rtcp() throws {
        let plain = try medium("m=audio 5004 RTP/AVP 0", "m=audio 6000 RTP/AVP 0")
        #expect(plain.remoteRTCPUDPPort == 6001)
        let port = try medium("m=audio 5004 RTP/AVP 0", "m=audio 6000 RTP/AVP 0\na=rtcp:7777")
        #expect(port.remoteRTCPUDPPort == 7777)
        #expect(port.remoteRTCPAddress == IPAddress(198, 51, 100, 2))
        let full = try medium("m=audio 5004 RTP/AVP 0", "m=audio 6000 RTP/AVP 0\na=rtcp:7777 IN IP4 192.0.2.77")
        #expect(full.remoteRTCPAddress == IPAddress(192, 0, 2, 77))
        let both = try medium("m=audio 5004 RTP/AVP 0\na=rtcp-mux", "m=audio 6000 RTP/AVP 0\na=rtcp-mux")
        #expect(both.isMultiplexed)
        #expect(both.remoteRTCPUDPPort == 6000)
        let offered = try medium("m=audio 5004 RTP/AVP 0\na=rtcp-mux", "m=audio 6000 RTP/AVP 0")
        #expect(!offered.isMultiplexed)
        #expect(offered.remoteRTCPUDPPort == 6001)
        let unasked = try medium("m=audio 5004 RTP/AVP 0", "m=audio 6000 RTP/AVP 0\na=rtcp-mux")
        #expect(!unasked.isMultiplexed)
        #expect(unasked.remoteRTCPUDPPort == 6001)
    }

    @Test("O-07: payload types keep their meaning; each direction has its own list")
    func payloadTypes() throws {
        var session = OfferAnswer()
        _ = try session.receiveOffer(try Self.description("m=audio 5004 RTP/AVP 96 101\na=rtpmap:96 L24/48000/2"))
        let agreement = try session.sendAnswer(
            try Self.description("m=audio 6000 RTP/AVP 98\na=rtpmap:98 L24/48000/2"))
        #expect(agreement.media[0].sentPayloadTypes == [96, 101])
        #expect(agreement.media[0].receivedPayloadTypes == [98])
        let changed = try Self.description("m=audio 5004 RTP/AVP 96\na=rtpmap:96 opus/48000/2", version: 2)
        let error = try #require(throws: OfferAnswerError.self) { _ = try session.receiveOffer(changed) }
        #expect(error.refusal(agent: "node.example.com").status == .notAcceptableHere)
        #expect(
            error.refusal(agent: "node.example.com").headers["Warning"]
                == "305 node.example.com \"payload type 96 changed its meaning\"")
    }

    @Test("The number of media that a peer may offer is bounded")
    func bounded() throws {
        var session = OfferAnswer(maximumMedia: 1)
        #expect(throws: OfferAnswerError.self) {
            try session.receiveOffer(try Self.description("m=audio 1 RTP/AVP 0", "m=audio 3 RTP/AVP 0"))
        }
        #expect(session.state == .idle)
    }
}
