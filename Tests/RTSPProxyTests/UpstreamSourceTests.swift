// Upstreams, against a camera on a loopback socket.

import AgentSupport
import Authentication
import Logging
import RTPWire
import RTSPCore
import Routing
import SDP
import Sessions
import TestSupport
import Testing

@testable import RTSPProxy

@Suite("Upstreams", .timeLimit(.minutes(2))) @AgentActor struct UpstreamSourceTests {
    private let routing = EmulatedRoutes()
    private let context: ProxyContext

    init() {
        // Each test takes UDP ports of its own: they run side by side.
        let first = UInt16.random(in: 10_000...19_000) & ~1
        context = ProxyContext(
            configuration: RTSPConfiguration(udpPorts: first...first + 200), routing: routing,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func source(
        _ url: String, transport: RTSPRoute.UpstreamTransport = .automatic, firstPacket: Double = 30,
        lastFirstPacket: Double? = nil, loss: Double = 30
    ) throws -> UpstreamSource {
        var timing = UpstreamTiming()
        timing.watch = 20_000_000
        timing.firstPacket = UInt64(firstPacket * 1e9)
        timing.lastFirstPacket = UInt64((lastFirstPacket ?? firstPacket) * 1e9)
        timing.loss = UInt64(loss * 1e9)
        return UpstreamSource(
            context: context, routeName: "rtsp.cam", url: try #require(RTSPURL(url)), transport: transport,
            timing: timing)
    }

    private func settled(
        _ what: Comment, _ condition: @AgentActor () async -> Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for _ in 0..<2000 {
            if await condition() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record(what, sourceLocation: sourceLocation)
    }

    private func packets(_ route: String = "rtsp.cam.0.rtp") async -> UInt64 {
        await routing.progress(of: route)?.packets ?? 0
    }

    private func refusal(of source: UpstreamSource) async -> RTSPStatus? {
        do throws(MediaSourceError) {
            _ = try await source.open()
            return nil
        } catch {
            return error.status
        }
    }

    @Test("A camera's packets reach the fast path by UDP, and TEARDOWN and the routes' removal end it")
    func plain() async throws {
        let camera = try await ScriptedCamera()
        let source = try source(camera.url)
        let presentation = try await source.open()
        #expect(presentation.streams.map(\.rtpRoute) == ["rtsp.cam.0.rtp"])
        #expect(presentation.streams.map(\.control) == ["streamid=0"])
        #expect(presentation.streams[0].clockRate == 90_000)
        try await settled("packets come") { await packets() > 3 }
        #expect(source.record?.resumption != nil)
        await source.close()
        #expect(camera.methods == [.options, .describe, .setup, .play, .teardown])
        #expect(await routing.routes().isEmpty)
        #expect(source.record == nil)
        try await camera.stop()
    }

    @Test("C-22: a camera is set up for the description, kept alive, and plays when the first player plays")
    func prepared() async throws {
        let camera = try await ScriptedCamera()
        let source = try source(camera.url)
        let presentation = try await source.prepare()
        #expect(presentation.streams.map(\.rtpRoute) == ["rtsp.cam.0.rtp"])
        #expect(camera.methods == [.options, .describe, .setup] && source.waitsForPlay)
        try await Task.sleep(for: .milliseconds(100))
        #expect(source.isLive && !camera.isPlaying)
        async let one: Void = source.play()
        async let other: Void = source.play()
        _ = try await (one, other)
        #expect(camera.methods == [.options, .describe, .setup, .play] && !source.waitsForPlay)
        try await settled("packets come") { await packets() > 3 }
        try await source.play()
        #expect(camera.methods.count == 4)
        await source.close()
        try await camera.stop()
    }

    @Test("C-22: a camera that is gone when the first player plays, or does not play, says so")
    func notPlayed() async throws {
        let camera = try await ScriptedCamera()
        let source = try source(camera.url)
        _ = try await source.prepare()
        var end: MediaSourceError?
        source.onEnd = { end = $0 }
        camera.refusePlay(with: .notFound)
        do throws(MediaSourceError) {
            try await source.play()
            Issue.record("it plays")
        } catch { #expect(error.status == .notFound) }
        try await settled("the path is told") { end != nil }
        #expect(!source.isLive)
        // It is opened again for those who wait.
        camera.refusePlay(with: nil)
        _ = try await source.open()
        try await settled("packets come") { await packets() > 3 }
        await source.close()
        try await camera.stop()
    }

    /// A source whose upstream has several addresses: those of the cameras.
    private func source(of cameras: [ScriptedCamera]) throws -> UpstreamSource {
        let addresses = try cameras.map { camera in
            let url = try #require(RTSPURL(camera.url))
            return UpstreamResolver.Candidate(
                address: IPAddress(127, 0, 0, 1).socketAddress(url.effectiveTCPPort), name: "cameras.test")
        }
        return UpstreamSource(
            context: context, routeName: "rtsp.cam", url: try #require(RTSPURL("rtsp://cameras.test/live")),
            candidates: { _ in addresses })
    }

    @Test("A server that fails is followed by the upstream's next address, and the last failure is told")
    func nextAddress() async throws {
        var script = ScriptedCamera.Script()
        script.refusal = RTSPStatus(500, "Internal Server Error")
        let broken = try await ScriptedCamera(script)
        script.refusal = .serviceUnavailable
        let full = try await ScriptedCamera(script)
        let camera = try await ScriptedCamera()
        let good = try source(of: [broken, full, camera])
        _ = try await good.open()
        try await settled("packets come") { await packets() > 3 }
        #expect([broken.accepted, full.accepted, camera.accepted] == [1, 1, 1])
        #expect(good.notes.count == 2 && good.notes.allSatisfy { $0.contains("its next address is tried") })
        await good.close()
        #expect(await refusal(of: try source(of: [broken, full])) == .serviceUnavailable)
        for one in [broken, full, camera] { try await one.stop() }
    }

    @Test("A server that refuses what is asked for speaks for all of the upstream's addresses")
    func refusalIsFinal() async throws {
        var script = ScriptedCamera.Script()
        script.refusal = .notFound
        let empty = try await ScriptedCamera(script)
        let camera = try await ScriptedCamera()
        #expect(await refusal(of: try source(of: [empty, camera])) == .notFound)
        #expect(camera.accepted == 0)
        for one in [empty, camera] { try await one.stop() }
    }

    @Test("R-40: when nothing comes by UDP, the same routes are fed interleaved, and players notice nothing")
    func silentUDP() async throws {
        var script = ScriptedCamera.Script()
        script.isSilentByUDP = true
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url, firstPacket: 0.1)
        source.onEnd = { error in Issue.record("ended: \(error)") }
        _ = try await source.open()
        _ = try await routing.addLeg(
            LegSpecification(address: IPAddress(127, 0, 0, 9), udpPort: 5004, port: PortReference(interface: "eth1")),
            to: "rtsp.cam.0.rtp", force: true)
        try await settled("packets come interleaved") { await packets() > 3 }
        #expect(try await routing.route("rtsp.cam.0.rtp").legs.count == 1)
        #expect(camera.methods.filter { $0 == .teardown }.count == 1)
        #expect(camera.accepted == 2)
        #expect(source.report().contains("stream 0 video by interleaved"))
        let fallbacks = context.counters.report().filter { $0.name == "rtsp_upstream_fallbacks_total" }
        #expect(fallbacks.map(\.labels) == [["reason": "silent"]])
        #expect(fallbacks.map(\.value) == [1])
        await source.close()
        try await camera.stop()
    }

    @Test("R-40: 461 leads to interleaved on the same connection")
    func refusedUDP() async throws {
        var script = ScriptedCamera.Script()
        script.refusesUDP = true
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url)
        _ = try await source.open()
        try await settled("packets come") { await packets() > 3 }
        #expect(camera.accepted == 1)
        #expect(source.record?.resumption == nil)
        await source.close()
        try await camera.stop()
    }

    @Test("R-39: a camera that answers UDP with TCP is taken at its word")
    func answersTCP() async throws {
        var script = ScriptedCamera.Script()
        script.answersTCP = true
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url)
        _ = try await source.open()
        try await settled("packets come") { await packets() > 3 }
        #expect(camera.methods.filter { $0 == .setup }.count == 1)
        await source.close()
        try await camera.stop()
    }

    @Test("R-39: packets from another UDP port of the camera, and from nowhere that it said, are accepted")
    func otherUDPPort() async throws {
        var script = ScriptedCamera.Script()
        script.sendsFrom = "127.0.0.1"
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url)
        _ = try await source.open()
        try await settled("packets come") { await packets() > 3 }
        let sources = await routing.sources["rtsp.cam.0.rtp"] ?? []
        #expect(sources.last?.source == IPAddress(127, 0, 0, 1))
        // More than one packet may come before the change.
        let said = sources.compactMap(\.sourceUDPPort).first
        #expect(said != nil && sources.last?.sourceUDPPort != said)
        await source.close()
        try await camera.stop()
    }

    @Test("R-39: packets from an address that the camera did not name are refused")
    func otherAddress() async throws {
        var script = ScriptedCamera.Script()
        script.sendsFrom = "127.0.0.3"
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url, firstPacket: 0.3)
        _ = try await source.open()
        // None are taken; the camera is asked for TCP instead.
        try await settled("packets come interleaved") { await packets() > 3 }
        let sources = await routing.sources["rtsp.cam.0.rtp"] ?? []
        #expect(!sources.contains { $0.source == IPAddress(127, 0, 0, 3) })
        #expect(camera.accepted == 2)
        await source.close()
        try await camera.stop()
    }

    @Test(
        "M-20: the camera gets the node's receiver reports by UDP, whether or not it names its UDP ports",
        arguments: [false, true])
    func reports(hidesUDPPorts: Bool) async throws {
        var script = ScriptedCamera.Script()
        script.hidesUDPPorts = hidesUDPPorts
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url)
        _ = try await source.open()
        // To where RTCP comes from, if the camera keeps that to itself: here the UDP port after RTP's, which is nobody's.
        if hidesUDPPorts {
            try await settled("reports have a place to go") {
                await routing.sources["rtsp.cam.0.rtcp"]?.last?.sourceUDPPort != nil
            }
        } else {
            try await settled("a report comes") { !camera.reports.isEmpty }
            let compound = try RTCPCompound(parsing: try #require(camera.reports.first))
            guard case .receiverReport(let report) = compound.packets.first else {
                Issue.record("no receiver report first")
                return
            }
            #expect(report.reports.map(\.ssrc) == [0x1122_3344])
            #expect(report.reports.first?.cumulativeLost == 0)
        }
        await source.close()
        try await camera.stop()
    }

    @Test("M-20: the camera gets them interleaved where its media is")
    func interleavedReports() async throws {
        let camera = try await ScriptedCamera()
        let source = try source(camera.url, transport: .interleaved)
        _ = try await source.open()
        try await settled("a report comes") { !camera.reports.isEmpty }
        // And at its end a BYE.
        await source.close()
        try await settled("a BYE comes") {
            camera.reports.contains { report in
                (try? RTCPCompound(parsing: report))?.packets.contains {
                    if case .goodbye = $0 { true } else { false }
                } == true
            }
        }
        try await camera.stop()
    }

    @Test("F-04: another SSRC is the same stream, with a count of its own in the reports")
    func otherSSRC() async throws {
        let camera = try await ScriptedCamera()
        let source = try source(camera.url)
        source.onEnd = { error in Issue.record("ended: \(error)") }
        _ = try await source.open()
        try await settled("packets come") { await packets() > 3 }
        camera.setSSRC(0x5566_7788)
        try await settled("a report names it") {
            camera.reports.contains { report in
                guard let compound = try? RTCPCompound(parsing: report),
                    case .receiverReport(let first) = compound.packets.first
                else { return false }
                return first.reports.contains { $0.ssrc == 0x5566_7788 && $0.cumulativeLost == 0 }
            }
        }
        #expect(source.isLive)
        await source.close()
        try await camera.stop()
    }

    @Test("F-08: a camera that ends its connection is lost, and comes back onto the same routes")
    func lostConnection() async throws {
        let camera = try await ScriptedCamera()
        let source = try source(camera.url)
        var errors: [MediaSourceError] = []
        source.onEnd = { errors.append($0) }
        _ = try await source.open()
        try await settled("packets come") { await packets() > 3 }
        let leg = LegSpecification(
            address: IPAddress(127, 0, 0, 9), udpPort: 5004, port: PortReference(interface: "eth1"))
        _ = try await routing.addLeg(leg, to: "rtsp.cam.0.rtp", force: true)
        camera.closeConnections()
        try await settled("the end is told") { !errors.isEmpty }
        #expect(errors.map(\.status) == [.badGateway])
        let before = await packets()
        _ = try await source.open()
        try await settled("packets come again") { await packets() > before + 3 }
        #expect(try await routing.route("rtsp.cam.0.rtp").legs.map(\.specification) == [leg])
        // The session was asked after, and is not there any more: it was set up anew.
        #expect(camera.methods.contains(.getParameter))
        #expect(camera.methods.filter { $0 == .setup }.count == 2)
        await source.close()
        try await camera.stop()
    }

    @Test("F-10: a session that the camera kept is gone on with by another daemon, from the record")
    func resumed() async throws {
        var script = ScriptedCamera.Script()
        script.keepsSessions = true
        let camera = try await ScriptedCamera(script)
        let first = try source(camera.url)
        _ = try await first.open()
        try await settled("packets come") { await packets() > 3 }
        let record = try #require(first.record)
        // The other daemon finds the routes as they are.
        let second = try source(camera.url)
        second.resume(from: record)
        let presentation = try await second.open()
        #expect(presentation.streams.count == 1)
        let before = await packets()
        try await settled("packets go on") { await packets() > before + 3 }
        #expect(camera.methods.filter { $0 == .setup }.count == 1)
        await second.close()
        #expect(camera.methods.last == .teardown)
        try await camera.stop()
    }

    @Test("A source that sent and sends no more is lost")
    func lostMedia() async throws {
        let camera = try await ScriptedCamera()
        let source = try source(camera.url, loss: 0.3)
        var errors: [MediaSourceError] = []
        source.onEnd = { errors.append($0) }
        _ = try await source.open()
        try await settled("packets come") { await packets() > 3 }
        camera.stopSending()
        try await settled("the end is told") { !errors.isEmpty }
        #expect(errors.map(\.status) == [.gatewayTimeout])
        #expect(camera.methods.last == .teardown)
        await source.close()
        try await camera.stop()
    }

    @Test(
        "A-04: Digest, with both algorithms", arguments: [[.sha256], [.md5], [.sha256, .md5]] as [[DigestAlgorithm]])
    func digest(algorithms: [DigestAlgorithm]) async throws {
        var script = ScriptedCamera.Script()
        script.user = ("operator", "p@ss:w")
        script.algorithms = algorithms
        let camera = try await ScriptedCamera(script)
        let url = camera.url.replacing("rtsp://", with: "rtsp://operator:p%40ss%3Aw@")
        let source = try source(url)
        _ = try await source.open()
        try await settled("packets come") { await packets() > 3 }
        #expect(camera.methods.filter { $0 == .describe }.count == 2)
        #expect(camera.methods.filter { $0 == .setup }.count == 1)
        #expect(!source.report().joined().contains("p@ss"))
        await source.close()
        let wrong = try self.source(camera.url.replacing("rtsp://", with: "rtsp://operator:wrong@"))
        #expect(await refusal(of: wrong) == .badGateway)
        await wrong.close()
        try await camera.stop()
    }

    @Test("R-23: a redirect to another camera is followed, without the first one's credentials")
    func redirect() async throws {
        let target = try await ScriptedCamera()
        var script = ScriptedCamera.Script()
        script.user = ("operator", "secret")
        // Another name of the same host is another host.
        script.redirect = target.url.replacing("127.0.0.1", with: "localhost")
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url.replacing("rtsp://", with: "rtsp://operator:secret@"))
        _ = try await source.open()
        try await settled("packets come") { await packets() > 3 }
        #expect(camera.requests.contains { $0.headers["Authorization"] != nil })
        #expect(!target.requests.contains { $0.headers["Authorization"] != nil })
        await source.close()
        try await camera.stop()
        try await target.stop()
    }

    @Test("F-07: fifty players at a cold path are one session of the camera's")
    func coldPath() async throws {
        let camera = try await ScriptedCamera()
        let source = try source(camera.url)
        let path = Path(
            route: RTSPRoute(name: "cam", match: .path("/cam"), source: .upstream(camera.url)), path: "/cam",
            routeName: "rtsp.cam", context: context
        ) { _ in source }
        let players = (0..<50).map { _ in Task { @AgentActor in (try? await path.attach()) != nil } }
        for player in players { #expect(await player.value) }
        #expect(camera.accepted == 1)
        #expect(camera.methods == [.options, .describe, .setup])
        try await path.play()
        #expect(camera.methods == [.options, .describe, .setup, .play])
        await path.close()
        #expect(camera.methods.last == .teardown)
        try await camera.stop()
    }

    @Test("F-08: what a camera refuses, and a camera that is not there, get the status that players can use")
    func refusals() async throws {
        var script = ScriptedCamera.Script()
        script.refusal = .notFound
        let camera = try await ScriptedCamera(script)
        let missing = try source(camera.url)
        #expect(await refusal(of: missing) == .notFound)
        await missing.close()
        try await camera.stop()
        let absent = try source(camera.url)
        #expect(await refusal(of: absent) == .serviceUnavailable)
        await absent.close()
        let nameless = try source("rtsp://no-such-host.invalid/live")
        #expect(await refusal(of: nameless) == .serviceUnavailable)
        await nameless.close()
    }

    @Test("A program on the node itself is asked for interleaved media: the fast path does not see its UDP")
    func localProgram() async throws {
        await routing.setPeerLocal()
        let camera = try await ScriptedCamera()
        let source = try source(camera.url)
        _ = try await source.open()
        #expect(camera.requests.first { $0.method == .setup }?.headers["Transport"]?.contains("TCP") == true)
        await source.close()
        try await camera.stop()
    }

    @Test("C-12: a camera that wakes up slowly is waited for by its last transport, longer than by the ones before")
    func slowStart() async throws {
        var script = ScriptedCamera.Script()
        script.wakesUpAfter = .milliseconds(400)
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url, firstPacket: 0.1, lastFirstPacket: 30)
        source.onEnd = { error in Issue.record("ended: \(error)") }
        _ = try await source.open()
        try await settled("packets come") { await packets() > 3 }
        #expect(source.report().contains("stream 0 video by interleaved"))
        #expect(camera.methods.filter { $0 == .play }.count == 2)
        await source.close()
        try await camera.stop()
    }

    @Test("C-13: metadata that is silent is no fault: neither another transport nor an end")
    func quietMetadata() async throws {
        var script = ScriptedCamera.Script()
        script.media = "m=application 0 RTP/AVP 96\r\na=rtpmap:96 vnd.onvif.metadata/90000\r\na=control:trackID=0\r\n"
        script.wakesUpAfter = .milliseconds(500)
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url, firstPacket: 0.05, loss: 0.05)
        source.onEnd = { error in Issue.record("ended: \(error)") }
        _ = try await source.open()
        try await settled("the event comes") { await packets() > 0 }
        camera.stopSending()
        try await Task.sleep(for: .milliseconds(200))
        #expect(camera.methods.filter { $0 == .play }.count == 1)
        await source.close()
        try await camera.stop()
    }

    @Test("C-05: a camera that refuses one of its streams plays the others, and players are not offered it")
    func refusedStream() async throws {
        var script = ScriptedCamera.Script()
        script.media += "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 L16/48000\r\na=control:trackID=1\r\n"
        script.refusedControl = ("trackID=1", RTSPStatus(500, "Internal Server Error"))
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url)
        let presentation = try await source.open()
        #expect(presentation.streams.map(\.index) == [0])
        try await settled("packets come") { await packets() > 3 }
        #expect(source.notes.contains { $0.contains("stream 1: left out") && $0.contains("500") })
        #expect(await routing.routes().allSatisfy { !$0.specification.name.contains(".1.") })
        await source.close()
        try await camera.stop()
    }

    @Test(
        "C-09: a description whose length is given wrong, too long or too short, is read", arguments: [-4, 25])
    func wrongLength(_ error: Int) async throws {
        var script = ScriptedCamera.Script()
        script.lengthError = error
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url)
        let presentation = try await source.open()
        #expect(presentation.streams.map(\.index) == [0])
        #expect(camera.requests.contains { $0.uri.hasSuffix("/trackID=0") })
        await source.close()
        try await camera.stop()
    }

    @Test("C-07: a description without v=, and with a UDP port that cannot be one, is read, and is whole for players")
    func carelessDescription() async throws {
        var script = ScriptedCamera.Script()
        script.media = "m=video 99999 RTP/AVP 96\r\nnot SDP\r\na=rtpmap:96 raw/90000\r\na=control:trackID=0\r\n"
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url)
        let presentation = try await source.open()
        let text = presentation.description.text
        #expect(text.hasPrefix("v=0\r\n") && text.contains("m=video 0 RTP/AVP 96\r\n") && !text.contains("not SDP"))
        await source.close()
        try await camera.stop()
    }

    @Test("C-10: a camera that closes its connection behind each 401 is asked again on another one")
    func closedBehindChallenge() async throws {
        var script = ScriptedCamera.Script()
        script.user = ("op", "secret")
        script.closesBehindChallenges = true
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url.replacing("rtsp://", with: "rtsp://op:secret@"))
        _ = try await source.open()
        try await settled("packets come") { await packets() > 3 }
        #expect(camera.accepted == 2)
        await source.close()
        try await camera.stop()
    }

    @Test("R-22: media that is no plain RTP is left out, and a presentation of nothing else refused")
    func otherMedia() async throws {
        var script = ScriptedCamera.Script()
        script.media =
            "m=application 0 TP-LINK 1\r\na=control:x\r\nm=audio 0 RTP/SAVP 0\r\na=control:y\r\n" + script.media
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url)
        let presentation = try await source.open()
        #expect(presentation.streams.map(\.index) == [2])
        #expect(presentation.description.media.count == 3)
        await source.close()
        try await camera.stop()
        script.media = "m=audio 0 RTP/SAVP 0\r\n"
        let other = try await ScriptedCamera(script)
        let refused = try self.source(other.url)
        #expect(await refusal(of: refused) == .badGateway)
        await refused.close()
        try await other.stop()
    }

    @Test(
        "A camera that describes a group is asked for multicast, and the group is joined for the one source of its filter"
    )
    func multicast() async throws {
        var script = ScriptedCamera.Script()
        script.media =
            "m=video 6004 RTP/AVP 96\r\nc=IN IP4 239.7.7.7/16\r\na=source-filter: incl IN IP4 239.7.7.7 10.9.9.9\r\n"
            + "a=rtpmap:96 raw/90000\r\na=control:trackID=0\r\n"
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url)
        _ = try await source.open()
        #expect(camera.requests.first { $0.method == .setup }?.headers["Transport"]?.contains("multicast") == true)
        let rtp = try #require(await routing.sources["rtsp.cam.0.rtp"]?.last)
        #expect(rtp.address == IPAddress(239, 7, 7, 7))
        #expect(rtp.udpPort == 6004)
        #expect(rtp.source == IPAddress(10, 9, 9, 9))
        #expect(await routing.sources["rtsp.cam.0.rtcp"]?.last?.udpPort == 6005)
        #expect(source.record?.resumption != nil)
        await source.close()
        try await camera.stop()
    }

    @Test("An upstream on TLS is interleaved, and refused where no authority of the node's vouches for it")
    func security() async throws {
        let directory = try TemporaryDirectory()
        let (chain, key) = (directory.path + "/chain.pem", directory.path + "/key.pem")
        _ = try Command.run(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                "2",
                "-keyout", key, "-out", chain, "-subj", "/CN=camera", "-addext", "subjectAltName=IP:127.0.0.1",
            ])
        var script = ScriptedCamera.Script()
        script.certificate = (chain, key)
        let camera = try await ScriptedCamera(script)
        let strict = try source(camera.url)
        let status = await refusal(of: strict)
        // Whether the refusal or the camera's close is seen first is a race.
        #expect(status == .badGateway || status == .serviceUnavailable)
        #expect(camera.requests.isEmpty)
        await strict.close()
        var configuration = context.configuration
        configuration.authorities = chain
        let trusting = ProxyContext(configuration: configuration, routing: routing, logger: context.logger)
        let source = UpstreamSource(
            context: trusting, routeName: "rtsp.cam", url: try #require(RTSPURL(camera.url)), timing: UpstreamTiming())
        _ = try await source.open()
        try await settled("packets come") { await packets() > 3 }
        #expect(camera.requests.first { $0.method == .setup }?.headers["Transport"]?.contains("TCP") == true)
        await source.close()
        try await camera.stop()
    }

    @Test(
        "C-23: a camera's own certificate is accepted by its fingerprint, and another one refused with its fingerprint")
    func pinned() async throws {
        let directory = try TemporaryDirectory()
        func camera(_ name: String) async throws -> (ScriptedCamera, CertificateFingerprint) {
            let (chain, key) = ("\(directory.path)/\(name).pem", "\(directory.path)/\(name).key")
            _ = try Command.run([
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                "2", "-keyout", key, "-out", chain, "-subj", "/CN=factory default",
            ])
            var script = ScriptedCamera.Script()
            script.certificate = (chain, key)
            let text = try Command.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", chain])
            let digits = text.split(whereSeparator: { $0 == "=" || $0.isWhitespace }).last.map(String.init)
            return (try await ScriptedCamera(script), try #require(CertificateFingerprint(digits ?? "")))
        }
        let (one, wanted) = try await camera("one")
        let (other, shown) = try await camera("other")
        func source(_ url: String) throws -> UpstreamSource {
            UpstreamSource(
                context: context, routeName: "rtsp.cam", url: try #require(RTSPURL(url)), fingerprint: wanted)
        }
        let good = try source(one.url)
        _ = try await good.open()
        try await settled("packets come") { await packets() > 3 }
        await good.close()
        let bad = try source(other.url)
        do throws(MediaSourceError) {
            _ = try await bad.open()
            Issue.record("another certificate is accepted")
        } catch {
            #expect(error.message.hasSuffix("its certificate has another fingerprint than the route's: \(shown)"))
        }
        #expect(other.requests.isEmpty)
        for camera in [one, other] { try await camera.stop() }
    }

    @Test("R-11: another description, announced by the camera, ends the source, to be opened again")
    func announced() async throws {
        let camera = try await ScriptedCamera()
        let source = try source(camera.url)
        var errors: [MediaSourceError] = []
        source.onEnd = { errors.append($0) }
        _ = try await source.open()
        camera.request(
            RTSPRequest(
                .announce, camera.url, headers: ["CSeq": "1", "Content-Type": "application/sdp"],
                body: Array("v=0\r\n".utf8)))
        try await settled("the end is told") { !errors.isEmpty }
        await source.close()
        try await camera.stop()
    }
}
