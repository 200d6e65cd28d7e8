// How bytes become messages.

import RTSPCore
import Testing

@Suite struct RTSPDecoderTests {
    static let options = RTSPRequest(.options, "rtsp://node/cam", headers: ["CSeq": "1"])
    static let body = Array("v=0\r\ns=$\r\n\r\n$\u{0}\u{0}\u{4}".utf8)
    static let announce = RTSPRequest(
        .announce, "rtsp://node/cam", headers: ["CSeq": "2", "Content-Type": "application/sdp"], body: body)
    static let answer = RTSPResponse(.ok, headers: ["CSeq": "7", "Session": "a;timeout=60"])

    /// A request with a body of `length` bytes that it announces as `announced`.
    static func message(contentLength announced: String) -> [UInt8] {
        Array("ANNOUNCE rtsp://node/cam RTSP/1.0\r\nCSeq: 9\r\nContent-Length: \(announced)\r\n\r\n".utf8)
    }

    @Test("R-03: a body is framed by Content-Length alone, whatever the segments", arguments: 1...40)
    func body(size: Int) throws {
        var announce = Self.announce
        announce.headers["Content-Length"] = "\(Self.body.count)"
        let bytes = Self.announce.encoded + Self.options.encoded + Self.answer.encoded
        #expect(
            try decode(bytes, size: size) == [.request(announce), .request(Self.options), .response(Self.answer)])
    }

    @Test("R-03: without Content-Length there is no body")
    func noBody() throws {
        let messages = try decode("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\nOPTIONS * RTSP/1.0\r\nCSeq: 2\r\n\r\n".utf8)
        #expect(messages.count == 2)
    }

    @Test("R-02: names in any case, no space behind the colon, space around it, all are one CSeq")
    func sequence() throws {
        for field in ["CSeq: 5", "CSeq:5", "cseq:  5  ", "CSEQ :\t5", "CSeq:\r\n 5"] {
            let request = try decodeRequest("OPTIONS * RTSP/1.0\r\n\(field)\r\n\r\n")
            #expect(request?.sequence == 5, "\(field)")
        }
        for field in ["CSeq: five", "CSeq: -5", "CSeq: +5", "CSeq: 4294967296", "CSeq:"] {
            let request = try decodeRequest("OPTIONS * RTSP/1.0\r\n\(field)\r\n\r\n")
            #expect(request != nil && request?.sequence == nil, "\(field)")
        }
    }

    @Test("R-08: unknown headers are kept as they came, in order and number")
    func unknownHeaders() throws {
        let request = try decodeRequest(
            "PLAY rtsp://h/ RTSP/1.0\r\nX-One: a\r\nBandwidth: 1\r\nx-one: b; c=\"d:e\"\r\n\r\n")
        #expect(
            request?.headers.fields == [
                RTSPHeaders.Field("X-One", "a"), RTSPHeaders.Field("Bandwidth", "1"),
                RTSPHeaders.Field("x-one", "b; c=\"d:e\""),
            ])
    }

    @Test("R-13: folded lines, lines ended by LF alone, and empty lines between messages are read")
    func folding() throws {
        let request = try decodeRequest(
            "\r\n\nSETUP rtsp://h/ RTSP/1.0\nCSeq: 1\nTransport: RTP/AVP,\n\tRTP/AVP/TCP\n\n")
        #expect(request?.method == .setup)
        #expect(request?.headers["transport"] == "RTP/AVP, RTP/AVP/TCP")
    }

    @Test("R-13: what is no message is refused with the status to answer, and stays refused")
    func malformed() throws {
        let malformed = [
            "GARBAGE\r\n", "OPTIONS *\r\n", "OPTIONS  RTSP/1.0\r\n", "OPTIONS * RTSP/one\r\n",
            "OP[]IONS * RTSP/1.0\r\n",
            "RTSP/1.0 20 OK\r\n", "RTSP/1.0 099 OK\r\n", "RTSP/1.0 2000 OK\r\n", "\u{0}\r\n", " \r\n",
            "OPTIONS * RTSP/1.0\r\n folded\r\n", "OPTIONS * RTSP/1.0\r\nno colon\r\n", "OPTIONS * RTSP/1.0\r\n: x\r\n",
            "OPTIONS * RTSP/1.0\r\na b: x\r\n", "OPTIONS * RTSP/1.0\r\nA: x\u{0}y\r\n",
            "OPTIONS * RTSP/1.0\r\nA: x\ry\r\n",
        ]
        for text in malformed { #expect(decodingError(text.utf8)?.status == .badRequest, "\(text.debugDescription)") }
        var decoder = RTSPDecoder()
        decoder.append("GARBAGE\r\n".utf8)
        #expect(throws: RTSPDecodingError.self) { try decoder.next() }
        decoder.append(Self.options.encoded)
        #expect(throws: RTSPDecodingError.self) { try decoder.next() }
    }

    @Test("R-13: Content-Length negative, absurd, signed, doubled or no number")
    func contentLength() {
        for value in ["-1", "+1", "1x", "", "0x10", "1\r\nContent-Length: 2"] {
            #expect(decodingError(Self.message(contentLength: value))?.status == .badRequest, "\(value)")
        }
        for value in ["131073", "99999999999999999999999999", "9223372036854775808"] {
            let error = decodingError(Self.message(contentLength: value))
            #expect(error?.status == .entityTooLarge && error?.sequence == 9, "\(value)")
        }
        for value in ["131072", "0", "000", "5\r\nContent-Length: 5"] {
            #expect(decodingError(Self.message(contentLength: value)) == nil, "\(value)")
        }
    }

    @Test("R-13: a header of 64 kB and 1000 fields is read, more is refused, also when its line never ends")
    func headerLimits() {
        let start = "OPTIONS * RTSP/1.0\r\n"
        let fits = start + "A: " + String(repeating: "x", count: (64 << 10) - start.utf8.count - 7) + "\r\n\r\n"
        #expect(fits.utf8.count == 64 << 10 && decodingError(fits.utf8) == nil)
        let exceeds = fits.replacing("A: ", with: "AA: ")
        #expect(decodingError(exceeds.utf8)?.status == .entityTooLarge)
        #expect(decodingError(String(repeating: "x", count: (64 << 10) + 1).utf8)?.status == .entityTooLarge)
        func fields(_ count: Int) -> String { start + String(repeating: "A: x\r\n", count: count) + "\r\n" }
        #expect(decodingError(fields(1000).utf8) == nil)
        #expect(decodingError(fields(1001).utf8)?.status == .entityTooLarge)
    }

    @Test("R-13: a decoder keeps no more than the message that is not complete")
    func memory() throws {
        var decoder = RTSPDecoder()
        for _ in 0..<100 {
            decoder.append(Self.announce.encoded + Self.options.encoded.dropLast())
            while try decoder.next() != nil {}
            #expect(decoder.bufferedBytes < 40)
            decoder.append([0x0a])
            #expect(try decoder.next() != nil)
        }
    }

    @Test("R-06: RTSP of any version is read; HTTP is told apart")
    func versions() throws {
        let request = try decodeRequest("OPTIONS * RTSP/3.7\r\nCSeq: 1\r\n\r\n")
        #expect(request?.version == RTSPVersion(major: 3, minor: 7))
        let error = decodingError("GET /index.html HTTP/1.1\r\nHost: node\r\n\r\n".utf8)
        #expect(error?.isHTTP == true && error?.status == .badRequest)
    }

    @Test("R-44: a frame split at every byte boundary")
    func splitFrame() throws {
        let frame = RTSPMessage.interleaved(channel: 3, payload: [0x80, 0x24, 0x24, 0, 1, 0x0d, 0x0a])
        let bytes = frame.encoded
        for split in 1..<bytes.count {
            var decoder = RTSPDecoder()
            decoder.append(bytes[..<split])
            #expect(try decoder.next() == nil)
            decoder.append(bytes[split...])
            #expect(try decoder.next() == frame)
            #expect(try decoder.next() == nil)
        }
    }

    @Test("R-45: frames between messages, all in one read", arguments: [1, 2, 3, 7, 1000])
    func framesBetweenMessages(size: Int) throws {
        let frame = RTSPMessage.interleaved(channel: 0, payload: Array("OPTIONS * RTSP/1.0\r\n\r\n".utf8))
        let messages = [frame, .request(Self.options), frame, .response(Self.answer), frame]
        #expect(try decode(messages.flatMap(\.encoded), size: size) == messages)
    }

    @Test("R-47: frames of 0 and 65 535 bytes, of any channel, with $ inside", arguments: [1, 3, 4096, 1_000_000])
    func frameSizes(size: Int) throws {
        let messages: [RTSPMessage] = [
            .interleaved(channel: 255, payload: []),
            .interleaved(channel: 0, payload: Array(repeating: UInt8(ascii: "$"), count: 65_535)),
            .request(Self.options), .interleaved(channel: 7, payload: [UInt8(ascii: "$")]),
        ]
        #expect(try decode(messages.flatMap(\.encoded), size: size) == messages)
    }

    @Test("Every split of a connection's bytes in two gives the same messages")
    func everySplit() throws {
        let bytes = Self.announce.encoded + [0x24, 1, 0, 2, 9, 9] + Self.answer.encoded + Self.options.encoded
        let whole = try decode(bytes)
        #expect(whole.count == 4)
        for split in 1..<bytes.count { #expect(try decode(bytes, size: split) == whole) }
    }

    /// The messages of a camera's bytes, in pieces of a size.
    private static func lenient(_ text: String, size: Int = .max) throws -> [RTSPMessage] {
        var decoder = RTSPDecoder(isLenient: true)
        var messages: [RTSPMessage] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            decoder.append(rest.prefix(size))
            rest = rest.dropFirst(size)
            while let message = try decoder.next() { messages.append(message) }
        }
        return messages
    }

    private static func reply(_ length: Int, _ body: String, number: Int = 2) -> String {
        "RTSP/1.0 200 OK\r\nCSeq: \(number)\r\nContent-Type: application/sdp\r\nContent-Length: \(length)\r\n\r\n\(body)"
    }

    private static let description = "v=0\r\nm=video 0 RTP/AVP 96\r\na=control:trackID=0\r\n"

    @Test("C-09: a description whose length is given too short is whole all the same, and the next reply is read")
    func shortLength() throws {
        let next = "RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n"
        for missing in [2, 4, 21, 23] {
            let text = Self.reply(Self.description.utf8.count - missing, Self.description) + next
            let messages = try Self.lenient(text)
            guard messages.count == 2, case .response(let first) = messages[0], case .response(let second) = messages[1]
            else {
                Issue.record("\(missing): \(messages)")
                continue
            }
            #expect(String(decoding: first.body, as: UTF8.self).hasPrefix(Self.description), "\(missing)")
            #expect(second.sequence == 3)
            // What comes later is skipped.
            #expect(try Self.lenient(text, size: 1).count == 2)
        }
        #expect(throws: RTSPDecodingError.self) {
            try decode(Self.reply(4, Self.description).utf8)
        }
    }

    @Test("C-09: text between messages is skipped up to a message or a frame, and not without end")
    func garbage() throws {
        let frame = "$\u{1}\u{0}\u{2}ab"
        let messages = try Self.lenient("garbage\r\nmore RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\nodd\r\n" + frame)
        #expect(messages.count == 2)
        #expect(throws: RTSPDecodingError.self) {
            try Self.lenient(String(repeating: "garbage without an end\r\n", count: 10_000))
        }
    }

    @Test("C-09: a body that never comes whole is what has come of it; a request's is not")
    func longLength() throws {
        var decoder = RTSPDecoder(isLenient: true)
        decoder.append(Array(Self.reply(500, Self.description).utf8))
        #expect(try decoder.next() == nil)
        #expect(decoder.isWaitingForBody)
        guard case .response(let response)? = decoder.finishBody() else {
            Issue.record("no response")
            return
        }
        #expect(String(decoding: response.body, as: UTF8.self) == Self.description)
        #expect(!decoder.isWaitingForBody && decoder.finishBody() == nil)
        decoder.append(Array("ANNOUNCE rtsp://cam/ RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 9\r\n\r\nv=0".utf8))
        #expect(try decoder.next() == nil)
        #expect(!decoder.isWaitingForBody && decoder.finishBody() == nil)
    }
}
