// What connections of tunnels begin with, and what comes in them.

import RTSPCore
import Testing

@Suite struct HTTPTunnelTests {
    private static let get =
        "GET /cam HTTP/1.0\r\nUser-Agent: x\r\nX-SessionCookie: abc123 \r\nAccept: application/x-rtsp-tunnelled\r\n\r\n"

    private func verdict(_ text: String, by step: Int = .max) -> TunnelOpening.Verdict {
        var opening = TunnelOpening()
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let part = rest.prefix(step)
            rest = rest.dropFirst(part.count)
            let verdict = opening.receive(part)
            guard verdict == .undecided else {
                guard case .tunnel(let end, let more) = verdict else { return verdict }
                return .tunnel(end, rest: more + rest)
            }
        }
        return .undecided
    }

    @Test("C-24: GET and POST with a cookie are the ends of a tunnel, whatever the segments", arguments: [1, 7, 4096])
    func ends(step: Int) {
        #expect(verdict(Self.get, by: step) == .tunnel(.init(.get, cookie: "abc123"), rest: []))
        let post = Self.get.replacing("GET", with: "POST") + "T1BU"
        #expect(verdict(post, by: step) == .tunnel(.init(.post, cookie: "abc123"), rest: Array("T1BU".utf8)))
    }

    @Test("C-24: RTSP is told at its first byte, and other HTTP at the end of its header")
    func others() {
        for text in [
            "OPTIONS * RTSP/1.0\r\n", "PLAY", "G ", "GET_PARAMETER rtsp://h RTSP/1.0\r\n", "\u{16}\u{3}\u{1}",
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/2.0\r\nx-sessioncookie: a\r\n\r\n",
            "GET / HTTP/1.0\r\nx-sessioncookie: \r\n\r\n", "POST / HTTP/1.0\r\nx-sessioncookie: a b\r\n\r\n",
            "GET / HTTP/1.0\r\nx-sessioncookie: a\r\nx-sessioncookie: b\r\n\r\n",
            "GET / HTTP/1.0\r\nx-sessioncookie: \(String(repeating: "a", count: 257))\r\n\r\n",
            "GET " + String(repeating: "a", count: 5000),
        ] {
            #expect(verdict(text) == .other(Array(text.utf8)), "\(text.prefix(60))")
        }
        #expect(verdict("GE") == .undecided && verdict("POST /") == .undecided)
    }

    @Test("C-24: base64 comes in parts of any length, each message padded by itself", arguments: [1, 2, 3, 5, 1000])
    func decoder(step: Int) throws {
        let messages = ["OPTIONS * RTSP/1.0\r\n\r\n", "$\u{1}\u{0}\u{1}x", "PLAY"]
        let text = [
            "T1BUSU9OUyAqIFJUU1AvMS4wDQoNCg==", "JAEAAXg=", "UExBWQ==",
        ].joined(separator: "\r\n")
        var decoder = TunnelDecoder()
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let part = decoder.decode(rest.prefix(step))
            result += try #require(part)
            rest = rest.dropFirst(step)
        }
        #expect(result == messages.flatMap { Array($0.utf8) })
        #expect(decoder.decode([UInt8(ascii: "*")]) == nil)
    }
}
