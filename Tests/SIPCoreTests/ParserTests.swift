// Bytes to messages, where RFC 4475 does not say it.

import Foundation
import RTPWire
import Testing

@testable import SIPCore

@Suite struct ParserTests {
    private let options = """
        OPTIONS sip:bob@example.com SIP/2.0
        Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
        From: <sip:a@example.com>;tag=1
        To: <sip:bob@example.com>
        Call-ID: c1
        CSeq: 1 OPTIONS

        """

    private func decoded(_ bytes: [UInt8], split: Int) throws -> [SIPStreamDecoder.Element] {
        var decoder = SIPStreamDecoder()
        var elements: [SIPStreamDecoder.Element] = []
        for part in [bytes[..<split], bytes[split...]] {
            decoder.append(part)
            while let element = try decoder.next() { elements.append(element) }
        }
        return elements
    }

    @Test("S-09: a datagram longer than Content-Length is cut, one without it is taken whole")
    func datagramLength() throws {
        let cut = try SIPParser.request(SIPParser.wire(options + "Content-Length: 3\n\nabcdef"))
        #expect(cut.body == Array("abc".utf8))
        let whole = try SIPParser.request(SIPParser.wire(options + "\nabcdef"))
        #expect(whole.body == Array("abcdef".utf8))
        #expect(throws: SIPParseError.self) {
            try SIPParser.request(SIPParser.wire(options + "l: 7\n\nabcdef"))
        }
    }

    @Test("S-09: keep-alives are no message")
    func keepAlives() throws {
        for bytes in [[], [0x0d, 0x0a, 0x0d, 0x0a], [0, 0, 0, 0]] as [[UInt8]] {
            #expect(try SIPParser.parse(datagram: bytes) == nil)
        }
        #expect(try SIPParser.parse(datagram: [0x0d, 0x0a] + SIPParser.wire(options + "\n")) != nil)
    }

    @Test("S-09: on a connection messages are cut by Content-Length, wherever segments end")
    func segments() throws {
        let one = try SIPRequest.sample().bytes
        var request = try SIPRequest.sample(.info, sequence: 2)
        request.body = Array("INVITE x\r\n\r\n".utf8)
        let bytes = one + [0x0d, 0x0a, 0x0d, 0x0a] + request.bytes + one
        let expected: [SIPStreamDecoder.Element] = [
            .message(.request(try .sample())), .ping, .message(.request(request)), .message(.request(try .sample())),
        ]
        for split in 0...bytes.count { #expect(try decoded(bytes, split: split) == expected) }
    }

    @Test("S-09: on a connection Content-Length is mandatory, and its absence ends the connection")
    func mandatoryLength() throws {
        var decoder = SIPStreamDecoder()
        decoder.append(SIPParser.wire(options + "\n"))
        let error = try #require(throws: SIPParseError.self) { try decoder.next() }
        #expect(error.status.code == 400)
        #expect(error.reply?.fields.count == 5)
    }

    @Test("S-09: a malformed message of known length does not end the connection")
    func malformedOnConnection() throws {
        var decoder = SIPStreamDecoder()
        let broken = SIPParser.wire(options.replacing("CSeq: 1", with: "CSeq: x") + "l: 0\n\n")
        decoder.append(broken + (try SIPRequest.sample().bytes))
        guard case .malformed(let error)? = try decoder.next() else { throw TestFailure("no error") }
        #expect(error.status.code == 400)
        #expect(try decoder.next() == .message(.request(try .sample())))
    }

    @Test("A pong is told when it is waited for")
    func pong() throws {
        var decoder = SIPStreamDecoder()
        decoder.append([0x0d, 0x0a])
        #expect(try decoder.next() == nil)
        decoder.awaitsPong = true
        #expect(try decoder.next() == .pong)
        #expect(try decoder.next() == nil)
    }

    @Test("Limits: header bytes, header fields, Vias, bodies")
    func limits() throws {
        var decoder = SIPStreamDecoder(limits: SIPLimits(headerBytes: 100))
        decoder.append(Array(repeating: 65, count: 101))
        #expect(throws: SIPParseError.self) { try decoder.next() }
        decoder = SIPStreamDecoder(limits: SIPLimits(bodyBytes: 10))
        decoder.append(SIPParser.wire(options + "l: 11\n\n"))
        let error = try #require(throws: SIPParseError.self) { try decoder.next() }
        #expect(error.status == .messageTooLarge)
        let bytes = SIPParser.wire(options + "\n")
        for limits in [SIPLimits(headerBytes: 50), SIPLimits(headerFields: 4), SIPLimits(vias: 0)] {
            #expect(throws: SIPParseError.self) { try SIPParser.parse(datagram: bytes, limits: limits) }
        }
    }

    @Test("S-09: header fields beyond the limit get the same answer, whether or not their end has come")
    func headTooLarge() throws {
        let bytes = SIPParser.wire(options + "Subject: \(String(repeating: "x", count: 300))\n\n")
        let limits = SIPLimits(headerBytes: 300)
        var errors: [SIPParseError] = []
        for pieces in [[bytes[...]], bytes.indices.map { bytes[$0...$0] }] {
            var decoder = SIPStreamDecoder(limits: limits)
            errors.append(
                try #require(throws: SIPParseError.self) {
                    for piece in pieces {
                        decoder.append(piece)
                        _ = try decoder.next()
                    }
                })
        }
        #expect(errors[0] == errors[1])
        #expect(errors[0].status == .messageTooLarge)
        // What stood within the limit is enough for an answer.
        #expect(errors[0].reply?.fields.map(\.name) == ["Via", "From", "To", "Call-ID", "CSeq"])
    }

    @Test("S-10: commas join, repeated fields are the same; escaped quotes and brackets protect them")
    func lists() throws {
        let headers: SIPHeaders = [
            "Contact": "\"Doe, \\\"J\" <sip:j@example.com;x=\"a,b\">, <sip:k@example.com>",
            "m": "sip:l@example.com;q=0.1",
        ]
        #expect(headers.list("Contact").count == 3)
        let plain: SIPHeaders = ["Contact": #""Doe, \"J" <sip:j@example.com>;q=1, sip:k@example.com"#]
        let contacts = try plain.addresses("Contact")
        #expect(contacts.map(\.displayName) == [#"Doe, "J"#, nil])
        #expect(contacts.map(\.uri.user) == ["j", "k"])
        #expect(
            SIPHeaders([.init("k", "timer,, 100rel"), .init("Supported", "")]).list("Supported") == ["timer", "100rel"])
    }

    @Test("S-10: a printed message says the same when it is read again; a line break in a value cannot add a field")
    func printing() throws {
        var request = try SIPRequest.sample(headers: ["Subject": "one\r\nInjected: two"])
        request.from.displayName = #"A "quoted" \ name"#
        let again = try SIPParser.request(request.bytes)
        #expect(again.headers["Injected"] == nil)
        #expect(again.from == request.from)
    }

    @Test("S-10: a carriage return that ends no line is a space")
    func strayReturns() throws {
        let text = options.replacingOccurrences(of: "Call-ID: c1", with: "Call-ID: c1 \r\nSubject: a\rb. \r ")
        let message = try SIPParser.message(SIPParser.wire(text + "\n"))
        guard case .request(let request) = message else { throw TestFailure("a response") }
        #expect(request.callID == "c1")
        #expect(request.headers["Subject"] == "a b.")
        #expect(try SIPParser.message(message.bytes).bytes == message.bytes)
    }

    @Test("S-10: bytes that are not UTF-8 are refused with an answer where a message is found again by them")
    func invalidUTF8() throws {
        let error = try SIPParser.failure(
            Array("OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nCall-ID: ".utf8) + [0xff, 13, 10, 13, 10])
        #expect(error.status.code == 400)
        #expect(error.reply != nil)
    }

    @Test("D-11: names of people in ISO 8859-1 are taken, and are UTF-8 from then on")
    func latin1() throws {
        var bytes = SIPParser.wire(options.replacing("From: ", with: "Subject: B#ro\nFrom: ") + "\n")
        for index in bytes.indices where bytes[index] == UInt8(ascii: "#") { bytes[index] = 0xfc }
        guard case .request(let request) = try SIPParser.parse(datagram: bytes) else {
            Issue.record("no request")
            return
        }
        #expect(request.headers["Subject"] == "Büro")
        for index in bytes.indices where bytes[index] == 0xfc { bytes[index] = 0x9b }
        guard case .request(let control) = try SIPParser.parse(datagram: bytes) else { return }
        #expect(control.headers["Subject"] == "B?ro")
    }

    @Test("S-08: a malformed request is answered with the source noted in its Via")
    func errorReply() throws {
        let text = options.replacing("z9hG4bK1", with: "z9hG4bK1;rport, SIP/2.0/TCP p;branch=z9hG4bK2")
        let error = try SIPParser.failure(SIPParser.wire(text.replacing("CSeq: 1 OPTIONS", with: "CSeq: 1 BYE") + "\n"))
        let reply = try #require(error.reply)
        let bytes = reply.bytes(error.status, tag: "t", from: IPAddress(192, 0, 2, 7), transportPort: 99)
        let response = try SIPParser.response(Array(String(decoding: bytes, as: UTF8.self).utf8))
        #expect(response.vias.count == 2)
        #expect(response.vias[0].responseDestination.description == "192.0.2.7:99")
        #expect(response.to.tag == "t")
    }

    @Test("An ACK that cannot be parsed is never answered")
    func malformedAcknowledgement() throws {
        let text = options.replacing("OPTIONS sip", with: "ACK sip") + "\n"
        #expect(try SIPParser.failure(SIPParser.wire(text)).reply == nil)
    }

    @Test("Control characters, C1 among them, are in no field that was read")
    func controls() throws {
        let text = options.replacing(
            "CSeq:", with: "User-Agent: \u{1b}[31mred\u{9b}2J\u{7f} caf\u{e9}\nSubject: a\tb\nCSeq:")
        let request = try SIPParser.request(SIPParser.wire(text + "\n"))
        #expect(request.headers["User-Agent"] == "?[31mred?2J? caf\u{e9}")
        #expect(request.headers["Subject"] == "a\tb")
    }
}
