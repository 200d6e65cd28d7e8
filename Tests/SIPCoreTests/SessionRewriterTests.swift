// Descriptions as the other side gets them.

import RTPWire
import SDP
import Testing

@testable import SIPCore

@Suite struct SessionRewriterTests {
    private let place = MediaPlace(IPAddress(203, 0, 113, 5), udpPort: 40000)

    private func parse(_ text: String) throws -> SessionDescription {
        try SessionDescription(parsing: Array(text.utf8))
    }

    private func rewrite(
        _ text: String, places: [MediaPlace?]? = nil, allowsKeys: Bool = false
    ) throws -> [String] {
        var rewriter = SessionRewriter(sessionIdentifier: 77, address: IPAddress(203, 0, 113, 1))
        let description = try parse(text)
        let result = rewriter.rewrite(
            description, places: places ?? description.media.map { _ in place }, allowsKeys: allowsKeys)
        return result.text.split(separator: "\r\n").map(String.init)
    }

    private let head = "v=0\r\no=alice 1 1 IN IP4 10.0.0.1\r\ns=Studio\r\n"

    @Test("O-07: what the node does not own stays byte for byte and in its order")
    func passThrough() throws {
        let lines = try rewrite(
            head + """
                i=Programme
                c=IN IP4 10.0.0.1
                b=AS:9000
                t=0 0
                a=group:DUP 1 2
                a=x-unknown:  as   it is
                m=audio 5004 RTP/AVP 96 101
                i=left
                b=TIAS:4000000
                a=rtpmap:96 L24/48000/2
                a=fmtp:96 channel-order=SMPTE2110.(ST)
                a=ptime:0.125
                a=framecount:6
                a=ts-refclk:ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-D0:37
                a=mediaclk:direct=963214424
                a=mid:1
                a=sendonly
                """)
        #expect(
            lines == [
                "v=0", "o=- 77 1 IN IP4 203.0.113.1", "s=Studio", "i=Programme", "c=IN IP4 203.0.113.5", "b=AS:9000",
                "t=0 0", "a=group:DUP 1 2", "a=x-unknown:  as   it is", "m=audio 40000 RTP/AVP 96 101", "i=left",
                "b=TIAS:4000000", "a=rtpmap:96 L24/48000/2", "a=fmtp:96 channel-order=SMPTE2110.(ST)",
                "a=ptime:0.125", "a=framecount:6", "a=ts-refclk:ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-D0:37",
                "a=mediaclk:direct=963214424", "a=mid:1", "a=sendonly",
            ])
    }

    @Test("O-02: the node's own o=; its version grows by one with every change, and only then")
    func versions() throws {
        var rewriter = SessionRewriter(sessionIdentifier: 9, address: IPAddress(203, 0, 113, 1))
        let first = try parse(head + "c=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n")
        func version(_ description: SessionDescription, _ place: MediaPlace) -> String? {
            rewriter.rewrite(description, places: [place], allowsKeys: false).origin?.sessionVersion
        }
        #expect(version(first, place) == "1")
        var refreshed = first
        refreshed.origin?.incrementVersion()
        #expect(version(refreshed, place) == "1")
        var held = first
        held.media[0].direction = .sendOnly
        #expect(version(held, place) == "2")
        #expect(version(held, MediaPlace(IPAddress(203, 0, 113, 5), udpPort: 40002)) == "3")
    }

    @Test("O-03: c=0.0.0.0 becomes a direction, since the node's own address stands there")
    func oldHold() throws {
        let held = try rewrite(head + "c=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n")
        #expect(held.contains("c=IN IP4 203.0.113.5"))
        #expect(held.contains("m=audio 40000 RTP/AVP 0"))
        #expect(held.last == "a=sendonly")
        let deaf = try rewrite(head + "c=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\na=recvonly\r\n")
        #expect(deaf.last == "a=inactive")
    }

    @Test("O-05: c= of the session and of the media; several layers become one place")
    func connections() throws {
        let other = MediaPlace(try #require(IPAddress("2001:db8::5")), udpPort: 50000)
        let lines = try rewrite(
            head + """
                t=0 0
                m=audio 5004 RTP/AVP 0
                c=IN IP4 10.0.0.1
                m=video 5006 RTP/AVP 31
                c=IN IP4 239.1.1.1/32
                c=IN IP4 239.1.1.2/32
                """, places: [place, other])
        #expect(
            lines.suffix(4) == [
                "m=audio 40000 RTP/AVP 0", "c=IN IP4 203.0.113.5", "m=video 50000 RTP/AVP 31", "c=IN IP6 2001:db8::5",
            ])
        let mixed = try rewrite(
            head + "c=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 1 RTP/AVP 0\r\nm=video 3 RTP/AVP 31\r\n",
            places: [place, other])
        #expect(mixed.contains("c=IN IP4 203.0.113.5"))
        #expect(mixed.last == "c=IN IP6 2001:db8::5")
    }

    @Test("O-06: a=rtcp goes where the next port is used, and names the port otherwise; rtcp-mux as allowed")
    func rtcp() throws {
        let text =
            head + "c=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 1 RTP/AVP 0\r\na=rtcp:9 IN IP4 10.0.0.9\r\na=rtcp-mux\r\n"
        let next = try rewrite(text)
        #expect(next.suffix(2) == ["m=audio 40000 RTP/AVP 0", "a=rtcp-mux"])
        let own = MediaPlace(
            IPAddress(203, 0, 113, 5), udpPort: 40000, rtcpUDPPort: 40009, allowsMultiplexing: false)
        #expect(try rewrite(text, places: [own]).suffix(2) == ["m=audio 40000 RTP/AVP 0", "a=rtcp:40009"])
    }

    @Test("O-08: keys pass where they may, secured media are refused where not, and leftovers go")
    func keys() throws {
        let secured =
            head
            + "c=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 1 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n"
        #expect(try rewrite(secured, allowsKeys: true).last == "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x")
        let refused = try rewrite(secured)
        #expect(refused.contains("m=audio 0 RTP/SAVP 0"))
        #expect(!refused.contains { $0.contains("inline") })
        let leftover = try rewrite(secured.replacing("RTP/SAVP", with: "RTP/AVP"), allowsKeys: true)
        #expect(leftover.last == "m=audio 40000 RTP/AVP 0")
    }

    @Test("O-09: ICE is removed as a whole, in the session and in the media")
    func ice() throws {
        let lines = try rewrite(
            head + """
                c=IN IP4 10.0.0.1
                t=0 0
                a=ice-lite
                a=ice-options:trickle
                m=audio 5004 RTP/AVP 0
                a=ice-ufrag:8hhY
                a=ice-pwd:asd88fgpdd777uzjYhagZg
                a=candidate:1 1 UDP 2130706431 10.0.0.1 8998 typ host
                a=remote-candidates:1 10.0.0.2 8999
                a=end-of-candidates
                a=ptime:20
                """)
        #expect(!lines.contains { $0.contains("candidate") || $0.contains("ice") })
        #expect(lines.suffix(2) == ["m=audio 40000 RTP/AVP 0", "a=ptime:20"])
    }

    @Test("O-10: BUNDLE goes, bundle-only media are refused, mid and DUP stay, source filters of the other side go")
    func groups() throws {
        let lines = try rewrite(
            head + """
                c=IN IP4 239.9.9.9/32
                t=0 0
                a=group:BUNDLE 1 2
                a=group:DUP 1 2
                a=source-filter: incl IN IP4 239.9.9.9 10.0.0.1
                m=audio 5004 RTP/AVP 0
                a=mid:1
                m=audio 0 RTP/AVP 0
                a=bundle-only
                a=mid:2
                """)
        #expect(
            lines.suffix(5) == [
                "a=group:DUP 1 2", "m=audio 40000 RTP/AVP 0", "a=mid:1", "m=audio 0 RTP/AVP 0", "a=mid:2",
            ])
        #expect(lines.contains("c=IN IP4 203.0.113.5"))
    }

    @Test("O-01: a medium without a place is refused, and stays in its line")
    func refused() throws {
        let text = head + "c=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 1 RTP/AVP 0\r\nm=video 3 RTP/AVP 31\r\n"
        #expect(
            try rewrite(text, places: [nil, place]).suffix(2) == ["m=audio 0 RTP/AVP 0", "m=video 40000 RTP/AVP 31"])
    }

    @Test("O-11: the description in a multipart body, with LF only, and with parameters of its type")
    func bodies() throws {
        let sdp = "v=0\no=- 1 1 IN IP4 10.0.0.1\ns=-\nt=0 0\n"
        var request = try SIPRequest.sample(headers: ["c": "Application/SDP ; charset=\"utf-8\""])
        request.body = Array(sdp.utf8)
        #expect(request.sessionDescription == request.body)
        #expect(try SessionDescription(parsing: request.body).lines.count == 4)
        request.headers = ["Content-Type": "multipart/mixed; boundary=\"b 1\""]
        let parts =
            "preamble\r\n--b 1\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
            + "--b 1\r\nContent-Type: application/sdp\r\n\r\n" + sdp + "\r\n--b 1--\r\nepilogue"
        request.body = Array(parts.utf8)
        #expect(request.sessionDescription.map { String(decoding: $0, as: UTF8.self) } == sdp)
        request.headers = ["Content-Type": "application/sdp", "Content-Disposition": "render"]
        #expect(request.sessionDescription == nil)
        request.headers = ["Content-Type": "multipart/mixed"]
        #expect(request.sessionDescription == nil)
        #expect(try SIPParser.request(ValidMessages.mpart01).sessionDescription == nil)
    }
}
