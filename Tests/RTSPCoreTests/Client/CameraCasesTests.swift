// Cameras as they are: the cases C of docs/rtsp-cases.md, as far as the session alone decides.

import Testing

@testable import RTSPCore

@Suite struct CameraCasesTests {
    @Test("C-01: SETUP has no mode, since some servers cannot read client_port before another parameter")
    func mode() {
        for transports in [[ClientTransport.udp], [.interleaved], [.multicast]] {
            var camera = ClientHarness(transports: transports)
            camera.describe()
            let transport = camera.request?.headers["Transport"]
            #expect(transport?.contains("mode") == false && camera.request?.method == .setup, "\(transport ?? "")")
        }
    }

    @Test("C-02: PLAY asks for npt=0.000-, in the form that most players write")
    func range() {
        var camera = ClientHarness()
        camera.describe()
        camera.reply(.ok, ["Session": "1"])
        #expect(camera.request?.headers["Range"] == "npt=0.000-")
    }

    @Test(
        "C-03: PLAY whose Range is refused is sent without one, whatever the status",
        arguments: [400, 455, 456, 457, 501, 551])
    func rangeRefused(_ code: UInt16) {
        var camera = ClientHarness()
        camera.describe()
        camera.reply(.ok, ["Session": "1"])
        camera.reply(RTSPStatus(code, "No"))
        #expect(camera.request?.method == .play && camera.request?.headers["Range"] == nil)
        camera.reply()
        #expect(camera.established?.count == 1)
        // Refused again, it is refused.
        var other = ClientHarness()
        other.describe()
        other.reply(.ok, ["Session": "1"])
        other.reply(RTSPStatus(code, "No"))
        other.reply(RTSPStatus(code, "No"))
        #expect(other.methods.suffix(2) == [.play, .teardown])
    }

    @Test(
        "C-04: UDP that is refused, whatever the status, is followed by interleaved",
        arguments: [400, 403, 404, 406, 461, 500, 501, 503])
    func udpRefused(_ code: UInt16) {
        var camera = ClientHarness()
        camera.describe()
        camera.reply(RTSPStatus(code, "No"))
        #expect(camera.request?.headers["Transport"]?.contains("interleaved=0-1") == true)
        camera.reply(.ok, ["Session": "1"])
        camera.reply()
        #expect(camera.established?.map(\.transport) == [.interleaved])
        #expect(camera.actions.contains { if case .note(let text) = $0 { text.contains("\(code)") } else { false } })
    }

    @Test("C-04: what is refused by all transports ends with the first refusal", arguments: [404, 500])
    func allRefused(_ code: UInt16) {
        var camera = ClientHarness()
        camera.describe()
        camera.reply(RTSPStatus(code, "No"))
        camera.reply(RTSPStatus(400, "No"))
        #expect(camera.ended?.status == (code == 404 ? .notFound : .badGateway))
    }

    @Test("C-05: a stream that is refused is left out, first or last, and the others play", arguments: [0, 1, 2])
    func oneRefused(_ refused: Int) {
        var camera = ClientHarness(controls: ["a", "b", "c"])
        camera.describe()
        for stream in 0..<3 {
            // The first one is tried by both transports; one of those that follow is the stream's own matter.
            let attempts = stream == refused ? (stream == 0 ? 2 : 1) : 1
            for _ in 1...attempts {
                if stream == refused {
                    camera.reply(RTSPStatus(500, "No"))
                } else {
                    camera.reply(.ok, ["Session": "1"])
                }
            }
        }
        #expect(camera.request?.method == .play)
        camera.reply()
        #expect(camera.established?.map(\.index) == [0, 1, 2].filter { $0 != refused })
        #expect(camera.actions.contains { if case .note(let text) = $0 { text.contains("left out") } else { false } })
    }

    @Test("C-05, C-03: a camera that is overloaded is tried again as a whole", arguments: [408, 453, 503, 504])
    func overload(_ code: UInt16) {
        var camera = ClientHarness(controls: ["a", "b"])
        camera.describe()
        camera.reply(.ok, ["Session": "1"])
        camera.reply(RTSPStatus(code, "No"))
        #expect(camera.request?.method == .teardown)
        var other = ClientHarness()
        other.describe()
        other.reply(.ok, ["Session": "1"])
        other.reply(RTSPStatus(code, "No"))
        #expect(other.methods.suffix(2) == [.play, .teardown])
    }

    @Test(
        "C-06: a base that is no URL counts as missing; one with its scheme twice, or in quotation marks, is read",
        arguments: [
            ("10.1.0.2:7101/live/", "rtsp://cam/live/trackID=0"), ("live/", "rtsp://cam/live/trackID=0"),
            ("rtsp://rtsp://cam:554/base/", "rtsp://cam:554/base/trackID=0"),
            ("RTSP://rtsp://cam/base/", "rtsp://cam/base/trackID=0"), ("/base/", "rtsp://cam/base/trackID=0"),
            ("\"rtsp://cam/base/\"", "rtsp://cam/base/trackID=0"), ("<rtsp://cam/base>", "rtsp://cam/base/trackID=0"),
            ("http://cam/base/", "rtsp://cam/live/trackID=0"), ("://", "rtsp://cam/live/trackID=0"),
            ("", "rtsp://cam/live/trackID=0"),
        ])
    func base(_ base: String, _ uri: String) {
        var camera = ClientHarness()
        camera.connect()
        camera.reply()
        camera.reply(.ok, ["Content-Base": base], body: "v=0\r\n")
        #expect(camera.request?.uri == uri)
    }

    @Test("C-06: a control URL with its scheme twice is read")
    func control() {
        var camera = ClientHarness(controls: ["rtsp://rtsp://cam/live/trackID=0"])
        camera.describe()
        #expect(camera.request?.uri == "rtsp://cam/live/trackID=0")
    }

    @Test("C-08: a server that numbers no reply is understood, also when it keeps alive and is torn down")
    func noNumbers() {
        var camera = ClientHarness()
        func reply(_ headers: RTSPHeaders = [:], _ body: String = "") {
            camera.run(
                camera.session.received(
                    .response(RTSPResponse(.ok, headers: headers, body: Array(body.utf8))), at: camera.now))
        }
        camera.connect()
        reply(["Public": "OPTIONS, GET_PARAMETER"])
        reply([:], "v=0\r\n")
        reply(["Session": "1;timeout=10"])
        reply()
        #expect(camera.established?.count == 1)
        camera.advance(seconds: 4.1)
        #expect(camera.request?.method == .getParameter)
        reply()
        camera.run(camera.session.close(at: camera.now))
        reply()
        #expect(camera.ended?.status == .ok)
        // Nobody asked: it changes nothing.
        let count = camera.actions.count
        reply()
        #expect(camera.actions.count == count)
    }

    @Test("C-10: a server that closes its connection behind a challenge gets the credentials on another one")
    func closedBehindChallenge() {
        var camera = ClientHarness("rtsp://op:secret@cam/live", authenticator: CountingAuthenticator())
        camera.connect()
        camera.reply(.ok, ["Public": "DESCRIBE"])
        camera.reply(.unauthorized, ["WWW-Authenticate": "Digest", "Connection": "close"])
        camera.run(camera.session.connectionLost("closed", at: camera.now))
        #expect(camera.actions.contains { if case .connect = $0 { true } else { false } })
        #expect(camera.request?.method == .options && camera.request?.headers["Authorization"] != nil)
        camera.reply()
        camera.reply(.ok, [:], body: "v=0\r\n")
        #expect(camera.request?.method == .setup && camera.ended == nil)
        // One that does so for ever is left.
        var other = ClientHarness("rtsp://op:secret@cam/live", authenticator: CountingAuthenticator())
        other.connect()
        for _ in 1...10 where other.ended == nil {
            other.reply(.unauthorized, ["WWW-Authenticate": "Digest stale"])
            other.run(other.session.connectionLost("closed", at: other.now))
        }
        #expect(other.ended?.status == .badGateway)
    }

    @Test("C-11: a server that leaves GET_PARAMETER unanswered gets OPTIONS before its time is over")
    func unansweredKeepAlive() {
        var camera = ClientHarness()
        camera.play(timeout: 6)
        camera.advance(seconds: 2.5)
        #expect(camera.request?.method == .getParameter)
        camera.advance(seconds: 2.5)
        #expect(camera.request?.method == .options)
        camera.reply()
        camera.advance(seconds: 2.5)
        #expect(camera.request?.method == .options)
        let notes = camera.actions.filter { if case .note(let text) = $0 { text.contains("OPTIONS") } else { false } }
        #expect(notes.count == 1)
    }

    @Test(
        "C-11: a server that takes one method only is found out before its time is over, whatever Public says",
        arguments: [RTSPMethod.options, .getParameter], [6, 30, 60])
    func oneMethodOnly(_ taken: RTSPMethod, timeout: Int) {
        for methods in ["OPTIONS, GET_PARAMETER", "OPTIONS, DESCRIBE"] {
            var camera = ClientHarness()
            camera.describe(public: methods)
            camera.reply(
                .ok, ["Session": "cam;timeout=\(timeout)", "Transport": "RTP/AVP;unicast;server_port=6000-6001"])
            camera.reply()
            var last = camera.now
            var asked = camera.actions.count
            for _ in 0..<2000 where camera.ended == nil {
                camera.advance(seconds: 0.1)
                if camera.actions.count > asked, camera.request?.method == taken {
                    last = camera.now
                    camera.reply()
                }
                asked = camera.actions.count
                #expect(camera.now - last < UInt64(timeout) * 1_000_000_000, "\(methods)")
            }
            #expect(camera.ended == nil)
        }
    }

    @Test("C-20: a server that never answers OPTIONS is asked for its description all the same")
    func noOptions() {
        var camera = ClientHarness()
        camera.connect()
        camera.advance(seconds: 5)
        #expect(camera.request?.method == .describe && camera.ended == nil)
        camera.reply(.ok, [:], body: "v=0\r\n")
        camera.reply(.ok, ["Session": "cam;timeout=60", "Transport": "RTP/AVP;unicast;server_port=6000-6001"])
        camera.reply()
        #expect(camera.established?.count == 1)
        camera.advance(seconds: 24)
        #expect(camera.request?.method == .getParameter)
        // One that answers nothing is left in time.
        var dead = ClientHarness()
        dead.connect()
        dead.advance(seconds: 5)
        dead.advance(seconds: 10)
        #expect(dead.ended?.status == .gatewayTimeout)
    }

    @Test(
        "C-11: a server that refuses GET_PARAMETER, whatever the status, gets OPTIONS",
        arguments: [400, 403, 404, 405, 451, 500, 501])
    func refusedKeepAlive(_ code: UInt16) {
        var camera = ClientHarness()
        camera.play(timeout: 10)
        camera.advance(seconds: 4.1)
        camera.reply(RTSPStatus(code, "No"))
        camera.advance(seconds: 4.1)
        #expect(camera.request?.method == .options && camera.ended == nil)
    }
}
