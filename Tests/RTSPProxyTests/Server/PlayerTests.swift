// Players on UDP: what they are answered, and what the fast path is asked for.

import AgentSupport
import RTPWire
import RTSPCore
import Routing
import Sessions
import Testing

@testable import RTSPProxy

@Suite("Players on UDP", .timeLimit(.minutes(1))) @AgentActor struct PlayerTests {
    static let udp = "RTP/AVP;unicast;client_port=6000-6001"

    @Test("R-12: OPTIONS of * and of a URL list what is served, and need no path")
    func options() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        for uri in ["*", client.base, "rtsp://other/none"] {
            let response = try await client.request(.options, uri: uri)
            #expect(response.status.code == 200)
            #expect(
                response.headers["Public"]
                    == "OPTIONS, DESCRIBE, ANNOUNCE, SETUP, PLAY, PAUSE, TEARDOWN, RECORD, GET_PARAMETER, SET_PARAMETER"
            )
        }
        #expect(node.source() == nil)
        await node.stop()
    }

    @Test("R-18: the description is without transport, and its base is the player's own URL with / at its end")
    func describe() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        for (uri, base) in [
            (client.base, client.base + "/"), (client.base + "/", client.base + "/"),
            ("rtsp://[2001:db8::1]:8554/cam", "rtsp://[2001:db8::1]:8554/cam/"),
            ("rtsp://anna:secret@nat.example/cam?x=y", "rtsp://nat.example/cam?x=y/"),
        ] {
            let response = try await client.request(.describe, uri: uri)
            #expect(response.headers["Content-Base"] == base)
            #expect(response.headers["Content-Type"] == "application/sdp")
            let text = String(decoding: response.body, as: UTF8.self)
            #expect(text.contains("m=video 0 RTP/AVP 96\r\n") && text.contains("a=control:streamid=1\r\n"))
            #expect(text.contains("a=control:*\r\n") && text.contains("a=ts-refclk:ptp=IEEE1588-2008:"))
            #expect(!text.contains("239.1.1.7") && !text.contains("trackID"))
        }
        await node.stop()
    }

    @Test("C-22: the first player of a cold path is ready before the source sends, by UDP")
    func firstPlayer() async throws {
        let node = try await TestNode(streams: 1)
        let client = try TestClient(node)
        #expect(try await client.request(.setup, "/streamid=0", ["Transport": Self.udp]).status.code == 200)
        let source = try #require(node.source())
        source.waitsForPlay = true
        source.playRefusal = MediaSourceError(.badGateway, "camera: refused")
        #expect(try await client.request(.play).status.code == 502)
        #expect(node.routing.openLegs.isEmpty)
        source.playRefusal = nil
        var ready: [String] = []
        source.onPlay = { ready = node.routing.openLegs }
        #expect(try await client.request(.play).status.code == 200)
        #expect(ready == ["rtsp.cam.0.rtcp 127.0.0.1:6001", "rtsp.cam.0.rtp 127.0.0.1:6000"])
        #expect(node.routing.starts.values.allSatisfy { $0 == nil } && source.played == 2)
        // The next one finds it playing.
        let other = try TestClient(node)
        let transport: RTSPHeaders = ["Transport": "RTP/AVP;unicast;client_port=7000-7001"]
        #expect(try await other.request(.setup, "/streamid=0", transport).status.code == 200)
        #expect(try await other.request(.play).status.code == 200)
        #expect(source.played == 2)
        await node.stop()
    }

    @Test("R-20: DESCRIBE always answers with what the source offers now, whatever the client has of it")
    func describeChanged() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        #expect(try await client.request(.setup, "/streamid=0", ["Transport": Self.udp]).status.code == 200)
        let unmodified: RTSPHeaders = ["If-Modified-Since": "Sat, 01 Jan 2050 00:00:00 GMT"]
        let other = try TestClient(node)
        let before = try await other.request(.describe, "", unmodified)
        #expect(before.status.code == 200 && String(decoding: before.body, as: UTF8.self).contains("o=- 7 1 IN"))
        let source = try #require(node.source())
        let path = try #require(node.server.sessions.values.first?.path)
        source.text = MockSource.description.replacing("o=- 7 1 IN", with: "o=- 7 2 IN")
        source.onEnd?(MediaSourceError(.badGateway, "camera: another description"))
        #expect(path.current == nil)
        let isBack = await eventually { path.current != nil }
        #expect(isBack)
        let after = try await other.request(.describe, "", unmodified)
        #expect(after.status.code == 200 && String(decoding: after.body, as: UTF8.self).contains("o=- 7 2 IN"))
        await node.stop()
    }

    @Test("R-15: a client that takes no SDP gets 406; R-05: what no route is for gets 404")
    func describeRefused() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        #expect(try await client.request(.describe, "", ["Accept": "application/rtsl"]).status.code == 406)
        #expect(try await client.request(.describe, "/none").status.code == 404)
        #expect(try await client.request(.describe, uri: "nonsense").status.code == 400)
        #expect(try await client.request(.setup, "/../streamid=0", ["Transport": Self.udp]).status.code == 404)
        #expect(try await client.request(.describe).status.code == 200)
        await node.stop()
    }

    @Test("R-05: ANNOUNCE where nobody may publish gets 405 with Allow")
    func announceRefused() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        let response = try await client.request(.announce, "", ["Content-Type": "application/sdp"])
        #expect(response.status.code == 405)
        #expect(response.headers["Allow"]?.contains("DESCRIBE") == true)
        #expect(response.headers["Allow"]?.contains("ANNOUNCE") == false)
        await node.stop()
    }

    @Test("R-36, R-37: SETUP returns one transport, with the node's pair and its address as the source")
    func setup() async throws {
        let node = try await TestNode()
        node.routing.progresses["rtsp.cam.0.rtp"] = FlowProgress(hasRTP: true, ssrc: 0x4317f)
        let client = try TestClient(node)
        let response = try await client.request(.setup, "/streamid=0", ["Transport": "RAW/RAW/UDP," + Self.udp])
        let transport = try #require(TransportHeader(response.headers)?.specifications.first)
        let server = try #require(transport.serverUDPPorts)
        #expect(server.rtp % 2 == 0 && server.second == server.rtp + 1)
        #expect(transport.sourceAddress == IPAddress(127, 0, 0, 1))
        #expect(response.headers["Transport"]?.hasSuffix(";ssrc=0004317F") == true)
        #expect(response.headers["Session"]?.hasSuffix(";timeout=60") == true)
        await node.stop()
    }

    @Test(
        "R-17: a stream's URL is understood in every form in which players write it",
        arguments: [
            "", "/", "?q=1", "/?q=1", "?q=1/", "/cam", "/cam/", "/cam/sub", "/cam/sub/", "/cam?q=1", "/cam/?q=1",
            "/cam/sub?q=1&r=/x", "/cam%20one", "/cam;v=1",
        ])
    func urlShapes(presentation: String) async throws {
        let routes = [RTSPRoute(name: "all", match: .prefix("/"), source: .upstream("rtsp://10.1.0.7/"))]
        let node = try await TestNode(routes: routes)
        let client = try TestClient(node, path: presentation)
        let describe = try await client.request(.describe)
        let base = try #require(describe.headers["Content-Base"])
        // One player appends to the whole URL, the other to the path.
        let parts = presentation.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts[0].hasSuffix("/") ? parts[0].dropLast() : parts[0]
        let other =
            client.base.dropLast(presentation.utf8.count) + path + "/streamid=1"
            + (parts.count == 2 ? "?\(parts[1])" : "")
        for (stream, uri) in [base + "streamid=0", String(other)].enumerated() {
            let setup = try await client.request(
                .setup, "", ["Transport": "RTP/AVP;unicast;client_port=\(6000 + 2 * stream)"], uri: uri)
            #expect(setup.status.code == 200, "\(uri)")
        }
        #expect(try await client.request(.play, uri: base).status.code == 200)
        #expect(node.server.sessions.values.map { $0.core.streams.keys.sorted() } == [[0, 1]])
        await node.stop()
    }

    @Test(
        "C-15: two queries are two paths of a prefix, and one of a path; a session is found with its query and without")
    func queries() async throws {
        let node = try await TestNode(routes: [
            RTSPRoute(name: "all", match: .prefix("/pfx"), source: .upstream("rtsp://10.1.0.7/")),
            RTSPRoute(name: "one", match: .path("/one"), source: .upstream("rtsp://10.1.0.7/main")),
        ])
        let clients = try ["/pfx/cam?channel=1", "/pfx/cam?channel=2", "/one?channel=1", "/one?channel=2", "/one"]
            .map { try TestClient(node, path: $0) }
        for (index, client) in clients.enumerated() {
            for stream in 0..<2 {
                let setup = try await client.request(
                    .setup, "/streamid=\(stream)",
                    ["Transport": "RTP/AVP;unicast;client_port=\(6000 + 10 * index + 2 * stream)"])
                #expect(setup.status.code == 200)
            }
        }
        let uri = clients[0].base.split(separator: "?")[0]
        #expect(try await clients[0].request(.play, uri: String(uri)).status.code == 200)
        #expect(try await clients[1].request(.play).status.code == 200)
        #expect(try await clients[2].request(.play).status.code == 200)
        #expect(try await clients[0].request(.play, uri: clients[1].base).status.code == 404)
        #expect(node.source("/pfx/cam?channel=1") != nil && node.source("/pfx/cam?channel=2") != nil)
        #expect(node.source("/one") != nil && node.source("/one?channel=1") == nil)
        #expect(Set(node.server.sessions.values.map(\.core.path)).count == 3)
        await node.stop()
    }

    @Test("R-21: SETUP of the presentation is that of its only stream; of several it gets 459")
    func setupOfPresentation() async throws {
        let single = try await TestNode(streams: 1)
        #expect(try await TestClient(single).request(.setup, "", ["Transport": Self.udp]).status.code == 200)
        await single.stop()
        let several = try await TestNode()
        let client = try TestClient(several)
        #expect(try await client.request(.setup, "", ["Transport": Self.udp]).status.code == 459)
        #expect(try await client.request(.setup, "/streamid=2", ["Transport": Self.udp]).status.code == 404)
        #expect(several.server.sessions.isEmpty)
        await several.stop()
    }

    @Test("F-03: RTP-Info names each stream by the URL of its SETUP, and the packet that its leg begins with")
    func information() async throws {
        let node = try await TestNode()
        node.routing.progresses["rtsp.cam.0.rtp"] = FlowProgress(
            hasRTP: true, extendedHighestSequence: 0x2_ffff, timestamp: 90_000, lastArrival: TestNode.time(in: 5),
            packetRate: 50)
        let client = try TestClient(node)
        let response = try await client.play(udpPort: 6000)
        #expect(
            response.headers["RTP-Info"]
                == "url=\(client.base)/streamid=0;seq=0;rtptime=90000,url=\(client.base)/streamid=1")
        #expect(response.headers["Range"] == "npt=now-")
        let opened = await eventually { node.routing.starts.count == 4 }
        #expect(opened)
        #expect(node.routing.starts.filter { $0.key.hasPrefix("rtsp.cam.0.rtp") }.map(\.value) == [0x3_0000])
        #expect(node.routing.starts.filter { $0.key.hasPrefix("rtsp.cam.1.rtp") }.map(\.value) == [nil])
        await node.stop()
    }

    @Test("F-09: first packets are chosen anew when those that were chosen might come before the response")
    func lateResponse() async throws {
        let node = try await TestNode(streams: 1)
        node.routing.progresses["rtsp.cam.0.rtp"] = FlowProgress(
            hasRTP: true, extendedHighestSequence: 0x2_0000, timestamp: 90_000, lastArrival: MonotonicClock.now,
            packetRate: 50)
        var choices = 0
        node.routing.onChosen = {
            choices += 1
            // Longer than it takes to the next packet, the first time.
            if choices == 1 { try? await Task.sleep(for: .milliseconds(60)) }
        }
        let client = try TestClient(node)
        let response = try await client.play(udpPort: 6000, streams: 1)
        let starts = node.routing.starts.filter { $0.key.hasPrefix("rtsp.cam.0.rtp") }.compactMap(\.value)
        #expect(choices >= 2 && starts.count == 1)
        let first = try #require(starts.first)
        #expect(first > 0x2_0001, "the one that was chosen first has come")
        #expect(response.headers["RTP-Info"]?.contains(";seq=\(first & 0xffff);") == true)
        await node.stop()
    }

    @Test("F-09: legs open after the PLAY response is on the wire, and are gone before that to TEARDOWN and PAUSE")
    func order() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        let socket = client.socket
        var opened: [Bool] = []
        var removed: [Bool] = []
        node.routing.onOpen = { opened.append(socket.receiveNow(peeking: true) != nil) }
        node.routing.onRemove = { removed.append(socket.receiveNow(peeking: true) == nil) }
        for stream in 0..<2 {
            let transport = "RTP/AVP;unicast;client_port=\(6000 + 2 * stream)"
            #expect(
                try await client.request(.setup, "/streamid=\(stream)", ["Transport": transport]).status.code == 200)
        }
        for last in [RTSPMethod.pause, .teardown] {
            // The response is left where it is until all legs are open.
            try client.send(.play)
            let isOpen = await eventually { opened.count == 4 }
            #expect(isOpen && opened == [true, true, true, true])
            #expect(try await client.response().status.code == 200)
            #expect(try await client.request(last).status.code == 200)
            #expect(removed == [true, true, true, true])
            #expect(node.routing.openLegs.isEmpty)
            (opened, removed) = ([], [])
        }
        await node.stop()
    }

    @Test(
        "F-02: a second player costs the source nothing; the first one's TEARDOWN does not stop it; the last one's does"
    )
    func sharing() async throws {
        let node = try await TestNode()
        let (one, other) = (try TestClient(node), try TestClient(node))
        try await one.play(udpPort: 6000)
        try await other.play(udpPort: 6100)
        let source = try #require(node.source())
        #expect(source.opened == 1)
        #expect(try await one.request(.teardown).status.code == 200)
        let legs = (0..<2).flatMap {
            ["rtsp.cam.\($0).rtcp 127.0.0.1:\(6101 + 2 * $0)", "rtsp.cam.\($0).rtp 127.0.0.1:\(6100 + 2 * $0)"]
        }
        let isPlaying = await eventually { node.routing.openLegs == legs }
        #expect(isPlaying && source.closed == 0)
        #expect(try await other.request(.teardown).status.code == 200)
        let isClosed = await eventually { source.closed == 1 }
        #expect(isClosed)
        await node.stop()
    }

    @Test("F-06: PAUSE stops the copies of one player alone, and PLAY begins again with fresh RTP-Info")
    func pause() async throws {
        let node = try await TestNode(streams: 1)
        let (one, other) = (try TestClient(node), try TestClient(node))
        try await one.play(udpPort: 6000, streams: 1)
        try await other.play(udpPort: 6100, streams: 1)
        #expect(try await one.request(.pause).status.code == 200)
        let rest = await eventually {
            node.routing.openLegs == ["rtsp.cam.0.rtcp 127.0.0.1:6101", "rtsp.cam.0.rtp 127.0.0.1:6100"]
        }
        #expect(rest)
        node.routing.progresses["rtsp.cam.0.rtp"] = FlowProgress(
            hasRTP: true, extendedHighestSequence: 41, timestamp: 7, lastArrival: TestNode.time(in: 5), packetRate: 50)
        let again = try await one.request(.play, "", ["Range": "npt=12.5-"])
        #expect(again.headers["RTP-Info"]?.hasSuffix(";seq=42;rtptime=7") == true)
        let both = await eventually { node.routing.openLegs.count == 4 }
        #expect(both)
        await node.stop()
    }

    @Test("F-07: fifty players at a cold path open its source once, and all of them play")
    func coldPath() async throws {
        let node = try await TestNode(streams: 1)
        let clients = try (0..<50).map { _ in try TestClient(node) }
        for client in clients { try client.send(.describe) }
        for client in clients { #expect(try await client.response().status.code == 200) }
        for (index, client) in clients.enumerated() {
            try client.send(.setup, "/streamid=0", ["Transport": "RTP/AVP;unicast;client_port=\(7000 + 2 * index)"])
        }
        for client in clients { #expect(try await client.response().status.code == 200) }
        #expect(node.source()?.opened == 1)
        await node.stop()
    }

    @Test("R-09: what many clients ask at once is answered to each of them")
    func manyClients() async throws {
        let routes = [RTSPRoute(name: "all", match: .prefix("/"), source: .upstream("rtsp://10.1.0.7/"))]
        let node = try await TestNode(routes: routes)
        let clients = try (0..<20).map { try TestClient(node, path: "/cam\($0)") }
        for client in clients {
            try client.send(.options)
            try client.send(.describe)
        }
        for client in clients {
            #expect(try await client.response().sequence == 1)
            let describe = try await client.response()
            #expect(describe.sequence == 2 && describe.headers["Content-Base"] == client.base + "/")
        }
        await node.stop()
    }

    @Test("A fast path that refuses a leg is told as 453 or 503, and nothing of the session's is left open")
    func refusedLeg() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        node.routing.refusal = RoutingError(.capacity, "port eth1 is full")
        #expect(try await client.play(udpPort: 6000).status.code == 453)
        node.routing.refusal = nil
        #expect(node.routing.openLegs.isEmpty)
        #expect(try await client.request(.play).status.code == 200)
        #expect(node.server.reports().first?.notes.contains { $0.contains("port eth1 is full") } == true)
        await node.stop()
    }
}
