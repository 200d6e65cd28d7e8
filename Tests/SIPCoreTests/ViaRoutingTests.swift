// Where responses go.

import RTPWire
import Testing

@testable import SIPCore

@Suite struct ViaRoutingTests {
    private let source = IPAddress(192, 0, 2, 9)

    private func via(_ text: String, from source: IPAddress, _ port: UInt16) throws -> Via {
        var via = try #require(try Via.list(text).first)
        via.noteSource(source, transportPort: port)
        return via
    }

    @Test("S-08: received is added where sent-by is another, and not where it is the source")
    func received() throws {
        let named = try via("SIP/2.0/UDP bobspc.biloxi.com:5060;branch=z9hG4bK1", from: source, 7000)
        #expect(named.description == "SIP/2.0/UDP bobspc.biloxi.com:5060;branch=z9hG4bK1;received=192.0.2.9")
        #expect(named.responseDestination.description == "192.0.2.9:5060")
        let same = try via("SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1", from: source, 7000)
        #expect(same.received == nil)
        #expect(same.responseDestination.description == "192.0.2.9:5060")
    }

    @Test("S-08: rport is filled in, and the response goes to the source (RFC 3581)")
    func rport() throws {
        let asked = try via("SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff", from: source, 9988)
        #expect(asked.rport == 9988)
        #expect(asked.received == source)
        #expect(asked.responseDestination.description == "192.0.2.9:9988")
    }

    @Test("S-08: what a sender claims as received does not count")
    func claimed() throws {
        let lie = try via("SIP/2.0/UDP 192.0.2.9;received=203.0.113.1;branch=z9hG4bK1", from: source, 5060)
        #expect(lie.responseDestination.description == "192.0.2.9:5060")
    }

    @Test("S-08: maddr leads nowhere; ports default by transport")
    func destinations() throws {
        let group = try via("SIP/2.0/UDP 10.0.0.1:5070;maddr=224.2.0.1;rport;branch=z9hG4bK1", from: source, 1)
        #expect(group.responseDestination.description == "192.0.2.9:1")
        let tls = try via("SIP/2.0/TLS host.example.com;branch=z9hG4bK1", from: source, 40000)
        #expect(tls.responseDestination.description == "192.0.2.9:5061")
    }

    @Test("S-08: RFC 5118 section 4.5: received with and without brackets; IPv6 in sent-by")
    func ipv6() throws {
        let address = try #require(IPAddress("2001:db8::9:255"))
        for text in ["[2001:db8::9:255]", "2001:db8::9:255"] {
            let via = try #require(
                try Via.list("SIP/2.0/UDP [2001:db8::9:1]:5060;received=\(text);branch=z9hG4bKas3-111").first)
            #expect(via.received == address)
            #expect(via.sentBy == SIPHostPort(.address(try #require(IPAddress("2001:db8::9:1"))), 5060))
        }
        let noted = try via("SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bK1", from: address, 5060)
        #expect(noted.parameters["received"] == "2001:db8::9:255")
        #expect(noted.responseDestination.description == "[2001:db8::9:255]:5060")
    }
}
