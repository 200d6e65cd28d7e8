// URIs: parts, comparison, IPv6.

import RTPWire
import Testing

@testable import SIPCore

@Suite struct URITests {
    @Test(
        "S-10: equivalent URIs (RFC 3261 section 19.1.4)",
        arguments: [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x"
            ),
            ("tel:+1-201-555-0123", "tel:+12015550123"),
            ("sip:[2001:db8::1]", "sip:[2001:DB8:0:0:0:0:0:1]"),
        ])
    func equivalent(one: String, other: String) throws {
        #expect(try SIPURI(one).isEquivalent(to: try SIPURI(other)))
        #expect(try SIPURI(other).isEquivalent(to: try SIPURI(one)))
    }

    @Test(
        "S-10: URIs that are not equivalent",
        arguments: [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com:6000", "sip:bob@biloxi.com:5060"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
            ("sip:a%3bb@example.com", "sip:a;b@example.com"),
            ("sip:bob:one@example.com", "sip:bob:two@example.com"),
        ])
    func different(one: String, other: String) throws {
        #expect(try !SIPURI(one).isEquivalent(to: try SIPURI(other)))
    }

    @Test(
        "S-10: no URIs",
        arguments: [
            "", "bob@example.com", "sip:", "sip:@example.com", "sip:bob@", "sip:bob@exa mple.com",
            "sip:b%4@example.com",
            "sip:bob@example.com:0", "sip:bob@example.com:70000", "sip:bob@example.com;", "sip:bob@[2001:db8::1",
            "tel:", "sip:a@b@c", "sip:bob@2001:db8::10", "1sip:bob@example.com",
        ])
    func invalid(text: String) { #expect(throws: SIPSyntaxError.self) { try SIPURI(text) } }

    @Test("S-10: what is printed is what was read")
    func roundTrip() throws {
        for text in [
            "sip:alice:secret%20word@example.com:5070;transport=tcp;lr?Subject=x&Priority=y", "sips:[2001:db8::1]:5061",
            "tel:+1-201-555-0123;phone-context=example.com", "urn:service:sos", "sip:192.0.2.1",
        ] { #expect(try SIPURI(text).description == text) }
    }

    @Test("RFC 5118 section 4.3 and 4.4: a port belongs behind the brackets")
    func ambiguousPort() throws {
        let ambiguous = try SIPURI("sip:[2001:db8::10:5070]")
        #expect(ambiguous.place?.transportPort == nil)
        #expect(ambiguous.place?.host.address == IPAddress("2001:db8::10:5070"))
        let clear = try SIPURI("sip:[2001:db8::10]:5070")
        #expect(clear.place?.transportPort == 5070)
        #expect(clear.place?.host.address == IPAddress("2001:db8::10"))
    }

    @Test("RFC 5118 sections 4.1 and 4.2: an IPv6 address in a Request-URI needs brackets")
    func brackets() throws {
        func register(_ uri: String) -> [UInt8] {
            SIPParser.wire(
                """
                REGISTER \(uri) SIP/2.0
                To: sip:user@example.com
                From: sip:user@example.com;tag=81x2
                Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111
                Call-ID: SSG9559905523997077@hlau_4100
                Max-Forwards: 70
                Contact: "Caller" <sip:caller@[2001:db8::1]>
                CSeq: 98176 REGISTER
                Content-Length: 0


                """)
        }
        let request = try SIPParser.request(register("sip:[2001:db8::10]"))
        #expect(request.uri.place?.host.address == IPAddress("2001:db8::10"))
        #expect(request.vias[0].sentBy.host.address == IPAddress("2001:db8::9:1"))
        #expect(request.headers.contact?.uri.place?.host.address == IPAddress("2001:db8::1"))
        let error = try SIPParser.failure(register("sip:2001:db8::10"))
        #expect(error.status.code == 400)
        #expect(error.reply != nil)
    }

    @Test("RFC 5118 sections 4.9 and 4.10: IPv4-mapped addresses are read, three colons are not")
    func mapped() throws {
        #expect(try SIPURI("sip:bob@[::ffff:192.0.2.1]").place?.host == .address(IPAddress(192, 0, 2, 1)))
        #expect(throws: SIPSyntaxError.self) { try SIPURI("sip:bob@[2001:db8:::192.0.2.1]") }
        #expect(try SIPURI("sip:bob@[2001:db8::192.0.2.1]").place?.host.address != nil)
    }
}
