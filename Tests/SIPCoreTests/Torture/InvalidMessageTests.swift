// RFC 4475 section 3.1.2: messages that must be refused.

import RTPWire
import Testing

@testable import SIPCore

@Suite("S-10: RFC 4475 section 3.1.2") struct InvalidMessageTests {
    /// Expects an answer that the sender can match, and returns it.
    private func answer(
        _ bytes: [UInt8], _ code: UInt16 = 400, reason: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let error = try SIPParser.failure(bytes)
        #expect(error.status.code == code, sourceLocation: sourceLocation)
        #expect(error.description.contains(reason), "\(error)", sourceLocation: sourceLocation)
        let reply = try #require(error.reply, sourceLocation: sourceLocation)
        let answer = reply.bytes(error.status, tag: "t1", from: IPAddress(192, 0, 2, 99), transportPort: 5099)
        let text = String(decoding: answer, as: UTF8.self)
        #expect(text.hasPrefix("SIP/2.0 \(code) "), sourceLocation: sourceLocation)
        #expect(text.hasSuffix("Content-Length: 0\r\n\r\n"), sourceLocation: sourceLocation)
        return text
    }

    @Test("badinv01: separators without anything between them")
    func badinv01() throws {
        let text = try answer(InvalidMessages.badinv01, reason: "Via")
        #expect(text.contains("Via: SIP/2.0/UDP 192.0.2.15;;,;,,\r\n"))
        #expect(text.contains("To: <sip:j.user@example.com>;tag=t1\r\n"))
    }

    @Test("clerr: Content-Length larger than the datagram (S-09)")
    func clerr() throws {
        let text = try answer(InvalidMessages.clerr, reason: "Content-Length 9999")
        #expect(text.contains("Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bK-39234-23523;received=192.0.2.99\r\n"))
    }

    @Test("clerr on a connection: the message is waited for")
    func clerrOnConnection() throws {
        var decoder = SIPStreamDecoder()
        decoder.append(InvalidMessages.clerr)
        #expect(try decoder.next() == nil)
    }

    @Test("ncl: negative Content-Length, on a connection as well")
    func ncl() throws {
        _ = try answer(InvalidMessages.ncl, reason: "-999")
        var decoder = SIPStreamDecoder()
        decoder.append(InvalidMessages.ncl)
        #expect(throws: SIPParseError.self) { try decoder.next() }
    }

    @Test("scalar02: numbers that are too large")
    func scalar02() throws {
        _ = try answer(InvalidMessages.scalar02, reason: "36893488147419103232")
        let headers: SIPHeaders = ["Expires": "1" + String(repeating: "0", count: 100)]
        #expect(headers.clampedNumber("Expires") == .max)
    }

    @Test("scalarlg: a response with numbers that are too large is dropped")
    func scalarlg() throws { #expect(try SIPParser.failure(InvalidMessages.scalarlg).reply == nil) }

    @Test("quotbal: a quote without an end")
    func quotbal() throws {
        let text = try answer(InvalidMessages.quotbal, reason: "To: a quoted string has no end")
        #expect(text.contains("To: \"Mr. J. User <sip:j.user@example.com>\r\n"))
    }

    @Test("ltgtruri: a Request-URI in angle brackets")
    func ltgtruri() throws { _ = try answer(InvalidMessages.ltgtruri, reason: "Request-URI") }

    @Test("lwsruri: white space in the Request-URI")
    func lwsruri() throws { _ = try answer(InvalidMessages.lwsruri, reason: "request line") }

    @Test("lwsstart: several spaces in the request line")
    func lwsstart() throws { _ = try answer(InvalidMessages.lwsstart, reason: "request line") }

    @Test("trws: spaces at the end of the request line")
    func trws() throws { _ = try answer(InvalidMessages.trws, reason: "request line") }

    @Test("escruri: header fields in the Request-URI")
    func escruri() throws { _ = try answer(InvalidMessages.escruri, reason: "header fields") }

    @Test("baddate: a Date that is not needed does not hinder")
    func baddate() throws {
        let request = try SIPParser.request(InvalidMessages.baddate)
        #expect(request.headers["Date"] == "Fri, 01 Jan 2010 16:00:00 EST")
    }

    @Test("regbadct: a Contact with ? without angle brackets")
    func regbadct() throws { _ = try answer(InvalidMessages.regbadct, reason: "Contact") }

    @Test("badaspec: spaces inside angle brackets")
    func badaspec() throws { _ = try answer(InvalidMessages.badaspec, reason: "To") }

    @Test("baddn: a comma in a display name without quotes")
    func baddn() throws { _ = try answer(InvalidMessages.baddn, reason: "From") }

    @Test("badvers: another version is refused with 505")
    func badvers() throws {
        let text = try answer(InvalidMessages.badvers, 505, reason: "SIP/7.0")
        #expect(text.contains("CSeq: 1 OPTIONS\r\n"))
    }

    @Test("mismatch01: CSeq names another method")
    func mismatch01() throws { _ = try answer(InvalidMessages.mismatch01, reason: "CSeq") }

    @Test("mismatch02: CSeq names another method than an unknown one")
    func mismatch02() throws { _ = try answer(InvalidMessages.mismatch02, reason: "CSeq") }

    @Test("bigcode: a status beyond three digits is dropped")
    func bigcode() throws { #expect(try SIPParser.failure(InvalidMessages.bigcode).reply == nil) }
}
