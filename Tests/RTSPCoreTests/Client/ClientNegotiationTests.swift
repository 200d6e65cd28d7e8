// From OPTIONS to PLAY: replies, transports, redirects, challenges.

import RTPWire
import Testing

@testable import RTSPCore

@Suite struct ClientNegotiationTests {
    @Test("A session is OPTIONS, DESCRIBE, a SETUP for each stream, PLAY, and TEARDOWN at its end")
    func whole() throws {
        var camera = ClientHarness("rtsp://op:secret@cam:8554/live", controls: ["trackID=0", "trackID=1"])
        camera.connect()
        #expect(camera.request?.uri == "rtsp://cam:8554/live")
        camera.reply(.ok, ["Public": "DESCRIBE, GET_PARAMETER"])
        #expect(camera.request?.headers["Accept"] == "application/sdp")
        camera.reply(.ok, ["Content-Base": "rtsp://cam:8554/base/"], body: "v=0\r\n")
        #expect(camera.request?.uri == "rtsp://cam:8554/base/trackID=0")
        #expect(camera.request?.headers["Transport"] == "RTP/AVP;unicast;client_port=20000-20001")
        camera.reply(.ok, ["Session": "77 ; timeout=30", "Transport": "RTP/AVP;unicast;server_port=6000-6001;ssrc=1F"])
        #expect(camera.request?.headers["Session"] == "77")
        #expect(camera.request?.headers["Transport"]?.contains("client_port=20002-20003") == true)
        camera.reply(.ok, ["Session": "77", "Transport": "RTP/AVP;unicast;server_port=6002-6003;source=10.0.0.9"])
        #expect(camera.request?.method == .play)
        #expect(camera.request?.uri == "rtsp://cam:8554/base/")
        camera.reply(
            .ok,
            ["RTP-Info": "url=rtsp://cam:8554/base/trackID=1;seq=9;rtptime=7,url=rtsp://cam:8554/base/trackID=0;seq=5"])
        let streams = try #require(camera.established)
        #expect(streams.map(\.rtpUDPPort) == [6000, 6002])
        #expect(streams.map(\.firstSequence) == [5, 9])
        #expect(streams.map(\.firstTimestamp) == [nil, 7])
        #expect(streams.map(\.ssrc) == [0x1f, nil])
        #expect(streams[1].source == "10.0.0.9")
        camera.run(camera.session.close(at: camera.now))
        #expect(camera.request?.method == .teardown)
        #expect(camera.ended == nil)
        camera.reply()
        #expect(camera.ended?.status == .ok)
        #expect(camera.session.deadline == nil)
        let numbers = camera.actions.compactMap { action -> UInt32? in
            if case .send(.request(let request)) = action { request.sequence } else { nil }
        }
        #expect(numbers == Array(1...UInt32(numbers.count)))
        #expect(!camera.actions.contains { "\($0)".contains("secret") })
    }

    @Test("R-09: replies are matched by CSeq; late, repeated and unsolicited ones change nothing")
    func replies() {
        var camera = ClientHarness()
        camera.connect()
        let count = camera.actions.count
        for number in ["0", "2", "99", "-1", "x", "1 1", "4294967296"] {
            camera.run(
                camera.session.received(.response(RTSPResponse(.ok, headers: ["CSeq": number])), at: camera.now))
        }
        camera.run(camera.session.received(.response(RTSPResponse(.ok)), at: camera.now))
        camera.run(
            camera.session.received(
                .response(RTSPResponse(RTSPStatus(100, "Continue"), headers: ["CSeq": "1"])), at: camera.now))
        #expect(camera.actions.count == count)
        camera.reply(.ok, ["Public": "OPTIONS"])
        #expect(camera.request?.method == .describe)
        // The reply to OPTIONS once more, while DESCRIBE waits for its own.
        camera.run(camera.session.received(.response(RTSPResponse(.notFound, headers: ["CSeq": "1"])), at: camera.now))
        #expect(camera.ended == nil)
    }

    @Test("R-39: the reply's Transport may say little, nothing, zeros or more than was asked")
    func oddTransports() throws {
        let cases: [(RTSPHeaders, UInt16?, UInt16?, String?)] = [
            ([:], nil, nil, nil),
            (["Transport": "RTP/AVP;unicast"], nil, nil, nil),
            (["Transport": "RTP/AVP;unicast;server_port=0-0"], nil, nil, nil),
            (["Transport": "RTP/AVP;unicast;server_port=6000"], 6000, 6001, nil),
            (["Transport": "RTP/AVP;unicast;server_port=6000-0"], 6000, 6001, nil),
            (["Transport": "RTP/AVP/UDP;unicast;source=cam.studio;server_port=6001-7000"], 6001, 7000, "cam.studio"),
            (["Transport": "server_port=6000-6001;RTP/AVP;unicast;source=;ssrc= 4317f"], 6000, 6001, nil),
            (["Transport": "nonsense"], nil, nil, nil),
        ]
        for (headers, rtp, rtcp, source) in cases {
            var camera = ClientHarness()
            camera.describe()
            var headers = headers
            headers["Session"] = "1"
            camera.reply(.ok, headers)
            camera.reply()
            let stream = try #require(camera.established?.first)
            #expect(stream.transport == .udp)
            #expect(stream.clientUDPPort == 20_000)
            #expect(stream.rtpUDPPort == rtp)
            #expect(stream.rtcpUDPPort == rtcp)
            #expect(stream.source == source)
        }
    }

    @Test("R-39: a camera that answers UDP with TCP gets interleaved, for the streams that follow too")
    func tcpForUDP() throws {
        var camera = ClientHarness(controls: ["a", "b"])
        camera.describe()
        camera.reply(.ok, ["Session": "1", "Transport": "RTP/AVP/TCP;unicast;interleaved=4-5"])
        #expect(camera.request?.headers["Transport"]?.hasPrefix("RTP/AVP/TCP;unicast;interleaved=2-3") == true)
        camera.reply(.ok, ["Session": "1", "Transport": "RTP/AVP/TCP;unicast"])
        camera.reply()
        let streams = try #require(camera.established)
        #expect(streams.map(\.transport) == [.interleaved, .interleaved])
        #expect(streams.map(\.rtpChannel) == [4, 2])
        let packet = RTSPMessage.interleaved(channel: 3, payload: [0x80])
        #expect(camera.session.received(packet, at: camera.now) == [.packet(stream: 1, isRTCP: true, payload: [0x80])])
        #expect(camera.session.received(.interleaved(channel: 9, payload: [1]), at: camera.now).isEmpty)
    }

    @Test("R-39: TCP where the route rules it out, and UDP for TCP, end the session")
    func wrongTransports() {
        for (transports, reply) in [
            ([ClientTransport.udp], "RTP/AVP/TCP;unicast;interleaved=0-1"),
            ([.interleaved], "RTP/AVP;unicast;client_port=1-2;server_port=3-4"),
            ([.interleaved], "RTP/AVP/TCP;interleaved=1-1"),
        ] {
            var camera = ClientHarness(transports: transports)
            camera.describe()
            camera.reply(.ok, ["Session": "1", "Transport": reply])
            #expect(camera.request?.method == .teardown)
            camera.reply()
            #expect(camera.ended?.status == .badGateway)
        }
    }

    @Test("R-40: 461 on UDP is followed by interleaved on the same connection")
    func refusedUDP() throws {
        var camera = ClientHarness()
        camera.describe()
        camera.reply(.unsupportedTransport)
        #expect(camera.request?.headers["Transport"] == "RTP/AVP/TCP;unicast;interleaved=0-1")
        camera.reply(.ok, ["Session": "1", "Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"])
        camera.reply()
        #expect(camera.established?.first?.transport == .interleaved)
    }

    @Test("R-40: 461 on the second stream begins all of it again, interleaved")
    func refusedSecond() throws {
        var camera = ClientHarness(controls: ["a", "b"])
        camera.describe()
        camera.reply(.ok, ["Session": "1", "Transport": "RTP/AVP;unicast;server_port=6000-6001"])
        camera.reply(.unsupportedTransport)
        #expect(camera.request?.method == .teardown)
        camera.reply()
        camera.reply()
        camera.reply(.ok, [:], body: "v=0\r\n")
        for channel in [0, 2] {
            #expect(camera.request?.headers["Transport"]?.contains("interleaved=\(channel)-") == true)
            #expect(camera.request?.headers["Session"] == (channel == 0 ? nil : "2"))
            camera.reply(.ok, ["Session": "2"])
        }
        camera.reply()
        #expect(camera.established?.map(\.transport) == [.interleaved, .interleaved])
    }

    @Test("R-40: 461 on everything ends the session")
    func refusedAll() {
        var camera = ClientHarness()
        camera.describe()
        camera.reply(.unsupportedTransport)
        camera.reply(.unsupportedTransport)
        #expect(camera.ended?.status == .badGateway)
    }

    @Test("R-40: when no packets come by UDP, the session is torn down and set up again interleaved")
    func nothingByUDP() throws {
        var camera = ClientHarness()
        camera.play()
        camera.run(camera.session.mediaIsMissing(at: camera.now))
        #expect(camera.request?.method == .teardown)
        camera.reply()
        #expect(camera.actions.contains(.connect(RTSPURL("rtsp://cam/live")!, reason: "no packets come by UDP")))
        camera.reply()
        camera.reply(.ok, [:], body: "v=0\r\n")
        #expect(camera.request?.headers["Transport"]?.hasPrefix("RTP/AVP/TCP") == true)
        camera.reply(.ok, ["Session": "2"])
        camera.reply()
        #expect(camera.established?.first?.transport == .interleaved)
        // And if nothing comes interleaved either, it is over.
        camera.run(camera.session.mediaIsMissing(at: camera.now))
        camera.reply()
        #expect(camera.ended?.status == .gatewayTimeout)
    }

    @Test("Multicast: the group is the reply's, and 461 leads on to unicast")
    func multicast() throws {
        var camera = ClientHarness(transports: [.multicast, .udp, .interleaved])
        camera.describe()
        #expect(camera.request?.headers["Transport"] == "RTP/AVP;multicast")
        camera.reply(
            .ok,
            [
                "Session": "1",
                "Transport": "RTP/AVP;multicast;destination=239.1.1.1;port=5004-5005;ttl=16;source=10.0.0.1",
            ])
        camera.reply()
        let stream = try #require(camera.established?.first)
        #expect(stream.transport == .multicast)
        #expect(stream.group == IPAddress(239, 1, 1, 1))
        #expect(stream.rtpUDPPort == 5004)
        #expect(stream.source == "10.0.0.1")
        var refusing = ClientHarness(transports: [.multicast, .udp, .interleaved])
        refusing.describe()
        refusing.reply(.unsupportedTransport)
        #expect(refusing.request?.headers["Transport"]?.contains("client_port=20000-20001") == true)
    }

    @Test("R-23: redirects are followed on a new connection, credentials stay with their host")
    func redirects() throws {
        var camera = ClientHarness(authenticator: CountingAuthenticator(challenge: "Digest x"))
        camera.connect()
        #expect(camera.request?.headers["Authorization"] != nil)
        camera.reply()
        camera.reply(RTSPStatus(302, "Found"), ["Location": "rtsp://CAM:8554/other"])
        #expect(camera.request?.uri == "rtsp://CAM:8554/other")
        #expect(camera.request?.headers["Authorization"] != nil)
        camera.reply()
        camera.reply(RTSPStatus(301, "Moved"), ["Location": "rtsp://u:p@elsewhere/x"])
        #expect(camera.request?.uri == "rtsp://elsewhere/x")
        #expect(camera.request?.headers["Authorization"] == nil)
        camera.reply(.unauthorized, ["WWW-Authenticate": "Digest y"])
        #expect(camera.ended?.status == .badGateway)
    }

    @Test("R-23: never from rtsps to rtsp, to what is no URL, or by Use Proxy; from rtsp to rtsps it is followed")
    func weakerRedirects() {
        for (status, location) in [
            (302, "rtsp://cam/live"), (302, "http://cam/live"), (302, "rtspu://cam/live"), (305, "rtsps://cam/live"),
            (302, "rtsps://cam/../x"),
        ] {
            var camera = ClientHarness("rtsps://cam/live")
            camera.connect()
            camera.reply()
            camera.reply(RTSPStatus(UInt16(status), "Found"), ["Location": location])
            #expect(camera.ended?.status == .badGateway, "\(location)")
        }
        var camera = ClientHarness("rtsp://cam/live")
        camera.connect()
        camera.reply()
        camera.reply(RTSPStatus(302, "Found"), ["Location": "rtsps://cam/live"])
        #expect(camera.session.url.scheme == .rtsps)
        #expect(camera.ended == nil)
    }

    @Test("R-23: five redirects are enough")
    func redirectLoop() {
        var camera = ClientHarness()
        camera.connect()
        for _ in 0..<6 {
            #expect(camera.ended == nil)
            camera.reply(RTSPStatus(302, "Found"), ["Location": "rtsp://cam/live"])
        }
        #expect(camera.ended?.status == .badGateway)
    }

    @Test("A-04: any method may be challenged, and is repeated once with credentials and a new CSeq")
    func challenges() throws {
        var camera = ClientHarness(authenticator: CountingAuthenticator())
        camera.connect()
        for expected in [RTSPMethod.options, .describe, .setup, .play] {
            let first = try #require(camera.request)
            #expect(first.method == expected)
            camera.reply(.unauthorized, ["WWW-Authenticate": "nonce-\(expected.name)"])
            let second = try #require(camera.request)
            #expect(second.method == expected)
            #expect(second.uri == first.uri)
            #expect(second.headers["Transport"] == first.headers["Transport"])
            #expect(second.sequence == first.sequence.map { $0 + 1 })
            #expect(second.headers["Authorization"] == "nonce-\(expected.name) \(expected.name) \(first.uri)")
            camera.reply(.ok, ["Session": "1"], body: expected == .describe ? "v=0\r\n" : "")
        }
        #expect(camera.established != nil)
    }

    @Test("A-04: 401 twice ends the session, unless the second says that the nonce is stale")
    func challengedTwice() {
        var camera = ClientHarness(authenticator: CountingAuthenticator())
        camera.connect()
        camera.reply(.unauthorized, ["WWW-Authenticate": "a"])
        camera.reply(.unauthorized, ["WWW-Authenticate": "b"])
        #expect(camera.ended?.status == .badGateway)
        var stale = ClientHarness(authenticator: CountingAuthenticator())
        stale.connect()
        stale.reply(.unauthorized, ["WWW-Authenticate": "a"])
        stale.reply(.unauthorized, ["WWW-Authenticate": "b stale"])
        #expect(stale.ended == nil)
        for _ in 0..<2 { stale.reply(.unauthorized, ["WWW-Authenticate": "c stale"]) }
        #expect(stale.ended?.status == .badGateway)
        var anonymous = ClientHarness()
        anonymous.connect()
        anonymous.reply(.unauthorized, ["WWW-Authenticate": "a"])
        #expect(anonymous.ended?.status == .badGateway)
    }

    @Test(
        "A refusal becomes the status that a player can use",
        arguments: [(404, 404), (403, 502), (453, 503), (500, 502), (503, 503)])
    func refusals(upstream: UInt16, player: UInt16) {
        var camera = ClientHarness()
        camera.connect()
        camera.reply()
        camera.reply(RTSPStatus(upstream, "x"))
        #expect(camera.ended?.status.code == player)
    }

    @Test("A PLAY whose Range is refused is sent without one")
    func withoutRange() {
        var camera = ClientHarness()
        camera.describe()
        camera.reply(.ok, ["Session": "1"])
        #expect(camera.request?.headers["Range"] == "npt=0.000-")
        camera.reply(.invalidRange)
        #expect(camera.request?.method == .play)
        #expect(camera.request?.headers["Range"] == nil)
        camera.reply(.invalidRange)
        #expect(camera.request?.method == .teardown)
    }

    @Test("A server that does not answer ends the session after the reply time")
    func silence() {
        var camera = ClientHarness()
        camera.connect()
        camera.reply()
        camera.advance(seconds: 9)
        #expect(camera.ended == nil)
        camera.advance(seconds: 1)
        #expect(camera.ended?.status == .gatewayTimeout)
    }

    @Test("A description without text, or with too many streams, ends the session")
    func badDescriptions() {
        var empty = ClientHarness()
        empty.connect()
        empty.reply()
        empty.reply()
        #expect(empty.ended?.status == .badGateway)
        var many = ClientHarness(controls: (0..<33).map { "\($0)" })
        many.describe()
        #expect(many.ended?.status == .badGateway)
    }
}
