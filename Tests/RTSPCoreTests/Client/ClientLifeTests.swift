// A session that plays: the server's requests, keep-alives, loss and resumption.

import RTPWire
import Testing

@testable import RTSPCore

@Suite struct ClientLifeTests {
    @Test("R-11: a server's requests are answered with their own CSeq, also while a reply is due")
    func serverRequests() throws {
        var camera = ClientHarness()
        camera.describe()
        let cases: [(RTSPMethod, RTSPHeaders, String, UInt16)] = [
            (.options, [:], "", 200), (.getParameter, [:], "", 200), (.setParameter, [:], "", 200),
            (.setParameter, [:], "a: 1", 451), (.announce, ["Content-Type": "application/SDP; x=1"], "v=0\r\n", 200),
            (.announce, ["Content-Type": "text/plain"], "x", 415), (.redirect, [:], "", 400), (.setup, [:], "", 405),
            (.other("PLAY_NOTIFY"), [:], "", 501), (.options, ["Require": "x"], "", 551),
            (.options, ["Session": "stranger"], "", 454),
        ]
        for (index, (method, headers, body, status)) in cases.enumerated() {
            var headers = headers
            headers["CSeq"] = "\(7000 + index)"
            camera.receive(RTSPRequest(method, "rtsp://cam/live", headers: headers, body: Array(body.utf8)))
            #expect(camera.response?.status.code == status, "\(method)")
            #expect(camera.response?.sequence == UInt32(7000 + index))
        }
        #expect(camera.actions.contains(.announced(sdp: Array("v=0\r\n".utf8))))
        camera.receive(RTSPRequest(.options, "*"))
        #expect(camera.response?.status == .badRequest)
        camera.receive(RTSPRequest(.options, "*", headers: ["CSeq": "1"], version: .init(major: 2, minor: 0)))
        #expect(camera.response?.status == .versionNotSupported)
        // The SETUP that was under way all the time is still answered.
        camera.reply(.ok, ["Session": "1"])
        #expect(camera.request?.method == .play)
    }

    @Test("R-11: REDIRECT is answered, the session torn down, and set up at the other place")
    func redirect() {
        var camera = ClientHarness()
        camera.play()
        camera.receive(
            RTSPRequest(.redirect, "rtsp://cam/live", headers: ["CSeq": "5", "Location": "rtsp://cam2/live"]))
        #expect(camera.response?.status == .ok)
        #expect(camera.request?.method == .teardown)
        #expect(camera.request?.uri == "rtsp://cam/live")
        camera.reply()
        #expect(camera.request?.method == .options)
        #expect(camera.request?.uri == "rtsp://cam2/live")
        #expect(camera.request?.headers["Session"] == nil)
    }

    @Test(
        "R-28: the session is kept alive within half of its time-out, with GET_PARAMETER where it is in Public",
        arguments: [("OPTIONS, GET_PARAMETER", RTSPMethod.getParameter), ("OPTIONS, DESCRIBE", .options)])
    func keepAlive(methods: String, expected: RTSPMethod) throws {
        var camera = ClientHarness()
        camera.describe(public: methods)
        camera.reply(.ok, ["Session": "1;timeout=30"])
        camera.reply()
        for _ in 0..<3 {
            let deadline = try #require(camera.session.deadline)
            #expect(deadline > camera.now)
            #expect(deadline - camera.now <= 15_000_000_000)
            camera.now = deadline
            camera.run(camera.session.timerFired(at: deadline))
            #expect(camera.request?.method == expected)
            #expect(camera.request?.headers["Session"] == "1")
            camera.reply()
        }
    }

    @Test("R-28: a camera that never answers keep-alives is kept while its media flows, and given up when it does not")
    func unanswered() {
        var camera = ClientHarness()
        camera.play(timeout: 60)
        camera.session.isMediaFlowing = true
        for _ in 0..<100 { camera.advance(seconds: 12) }
        #expect(camera.ended == nil)
        for method in [RTSPMethod.getParameter, .options] {
            #expect(camera.methods.filter { $0 == method }.count > 40)
        }
        let notes = camera.actions.filter { if case .note = $0 { true } else { false } }
        #expect(notes.count <= 2)
        camera.session.isMediaFlowing = false
        for _ in 0..<10 { camera.advance(seconds: 12) }
        #expect(camera.ended?.status == .gatewayTimeout)
    }

    @Test("R-28: a camera that refuses GET_PARAMETER gets OPTIONS; 454 ends the session only if nothing flows")
    func refusedKeepAlive() {
        var camera = ClientHarness()
        camera.play()
        camera.session.isMediaFlowing = true
        camera.advance(seconds: 24)
        camera.reply(.notImplemented)
        camera.advance(seconds: 24)
        #expect(camera.request?.method == .options)
        camera.session.isMediaFresh = true
        camera.reply(.sessionNotFound)
        #expect(camera.ended == nil)
        camera.session.isMediaFresh = false
        camera.advance(seconds: 2.1)
        camera.reply(.sessionNotFound)
        #expect(camera.ended?.status == .badGateway)
    }

    @Test("C-18: 454 to GET_PARAMETER ends a session without packets at once, also when packets came before")
    func unknownSession() {
        var camera = ClientHarness()
        camera.play()
        camera.session.isMediaFlowing = true
        camera.advance(seconds: 24)
        #expect(camera.request?.method == .getParameter)
        camera.reply(.sessionNotFound)
        #expect(camera.ended?.status == .badGateway)
        // One whose packets come does not know the method.
        var odd = ClientHarness()
        odd.play()
        (odd.session.isMediaFlowing, odd.session.isMediaFresh) = (true, true)
        odd.advance(seconds: 24)
        odd.reply(.sessionNotFound)
        odd.advance(seconds: 2.1)
        #expect(odd.request?.method == .getParameter)
        odd.reply(.sessionNotFound)
        odd.advance(seconds: 24)
        #expect(odd.request?.method == .options && odd.ended == nil)
    }

    @Test("C-18: OPTIONS does not say that an earlier session lives: one of its own methods is asked with")
    func askedForSession() throws {
        var first = ClientHarness()
        first.describe(public: "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        first.reply(.ok, ["Session": "cam", "Transport": "RTP/AVP;unicast;server_port=6000-6001"])
        first.reply()
        let record = try #require(first.session.resumable)
        var rebooted = ClientHarness(resumption: record)
        rebooted.connect()
        #expect(rebooted.methods == [.play] && rebooted.request?.headers["Session"] == "cam")
        rebooted.reply(.sessionNotFound)
        #expect(rebooted.request?.method == .options && rebooted.established == nil)
        var living = ClientHarness(resumption: record)
        living.connect()
        living.reply()
        #expect(living.established == first.established)
        // GET_PARAMETER that is refused, or unanswered, says nothing of the session.
        var listed = ClientHarness()
        listed.play()
        let other = try #require(listed.session.resumable)
        for isAnswered in [true, false] {
            var camera = ClientHarness(resumption: other)
            camera.connect()
            #expect(camera.request?.method == .getParameter)
            if isAnswered { camera.reply(.notImplemented) } else { camera.advance(seconds: 2) }
            #expect(camera.request?.method == .play && camera.established == nil)
            camera.advance(seconds: 2)
            #expect(camera.request?.method == .options && camera.ended == nil)
        }
    }

    @Test("A-04: a keep-alive that meets a new nonce is repeated with it")
    func newNonce() {
        var camera = ClientHarness(authenticator: CountingAuthenticator(challenge: "old"))
        camera.play()
        camera.advance(seconds: 24)
        camera.reply(.unauthorized, ["WWW-Authenticate": "new"])
        #expect(camera.request?.headers["Authorization"]?.hasPrefix("new GET_PARAMETER") == true)
        camera.reply()
        #expect(camera.ended == nil)
    }

    @Test("The loss of the connection ends a session that plays")
    func lost() {
        var camera = ClientHarness()
        camera.play()
        camera.run(camera.session.connectionLost("reset", at: camera.now))
        #expect(camera.ended?.status == .badGateway)
        #expect(camera.session.deadline == nil)
        #expect(camera.session.received(.response(RTSPResponse(.ok, headers: ["CSeq": "1"])), at: camera.now).isEmpty)
    }

    @Test(
        "A server that closes the connection instead of answering TEARDOWN, or does not answer it, is left all the same"
    )
    func tornDown() {
        var closing = ClientHarness()
        closing.play()
        closing.run(closing.session.close(at: closing.now))
        closing.run(closing.session.connectionLost("closed", at: closing.now))
        #expect(closing.ended?.status == .ok)
        var silent = ClientHarness()
        silent.play()
        silent.run(silent.session.mediaIsMissing(at: silent.now))
        // The end is asked for while it changes over: then it does not come back.
        silent.run(silent.session.close(at: silent.now))
        silent.advance(seconds: 2)
        #expect(silent.ended?.status == .ok)
    }

    @Test("An earlier session is gone on with, if the server still has it")
    func resumption() throws {
        var first = ClientHarness()
        first.play()
        let record = try #require(first.session.resumable)
        var second = ClientHarness(resumption: record)
        second.connect()
        #expect(second.request?.method == .getParameter)
        #expect(second.request?.headers["Session"] == "cam")
        #expect(second.request?.sequence == record.sequence + 1)
        second.reply()
        #expect(second.established == first.established)
        #expect(second.methods == [.getParameter])
        // If its packets stay away, it is set up anew, and by UDP first.
        second.run(second.session.mediaIsMissing(at: second.now))
        second.reply()
        second.reply()
        second.reply(.ok, [:], body: "v=0\r\n")
        #expect(second.request?.headers["Transport"]?.contains("client_port") == true)
    }

    @Test("454 for an earlier session sets up a new one; an interleaved one is never resumed")
    func noResumption() throws {
        var first = ClientHarness()
        first.play()
        var second = ClientHarness(resumption: first.session.resumable)
        second.connect()
        second.reply(.sessionNotFound)
        #expect(second.request?.method == .options)
        #expect(second.request?.headers["Session"] == nil)
        var interleaved = ClientHarness(transports: [.interleaved])
        interleaved.play(transport: "RTP/AVP/TCP;interleaved=0-1")
        #expect(interleaved.established != nil)
        #expect(interleaved.session.resumable == nil)
    }
}
