// Publishers: ANNOUNCE, RECORD, and players of what they send.

import AgentSupport
import RTPWire
import RTSPCore
import Routing
import Sessions
import TestSupport
import Testing

@testable import RTSPProxy

@Suite("Publishers", .timeLimit(.minutes(1))) @AgentActor struct PublisherTests {
    static let route = RTSPRoute(name: "live", match: .path("/live"), source: .publisher, publish: .anyone)
    static let description = Array(
        """
        v=0\r
        o=- 0 0 IN IP4 127.0.0.1\r
        s=Studio\r
        t=0 0\r
        m=video 0 RTP/AVP 96\r
        a=rtpmap:96 H264/90000\r
        a=control:stream=0\r

        """.utf8)

    static func announce(_ client: TestClient) async throws -> RTSPResponse {
        try await client.request(.announce, "", ["Content-Type": "application/sdp"], body: description)
    }

    @Test("F-12: two publishers behind one address, with one client_port, are told apart by the node's UDP ports")
    func oneAddress() async throws {
        let node = try await TestNode(
            routes: ["one", "two"].map {
                RTSPRoute(name: $0, match: .path("/\($0)"), source: .publisher, publish: .anyone)
            })
        let clients = [try TestClient(node, path: "/one"), try TestClient(node, path: "/two")]
        var udpPorts: Set<UInt16> = []
        for client in clients {
            #expect(try await Self.announce(client).status.code == 200)
            let setup = try await client.request(
                .setup, "/stream=0", ["Transport": "RTP/AVP;unicast;client_port=6000-6001;mode=record"])
            let transport = try #require(TransportHeader(setup.headers)?.specifications.first)
            udpPorts.insert(try #require(transport.serverUDPPorts).rtp)
            #expect(try await client.request(.record).status.code == 200)
        }
        let sources = ["one", "two"].compactMap { node.routing.reports["rtsp.\($0).0.rtp"]?.specification.source }
        #expect(udpPorts.count == 2 && Set(sources.map(\.udpPort)) == udpPorts)
        #expect(sources.map(\.source) == [IPAddress(127, 0, 0, 1), IPAddress(127, 0, 0, 1)])
        #expect(sources.map(\.sourceUDPPort) == [6000, 6000])
        await node.stop()
    }

    @Test("C-16: a publisher that crashed and comes back takes its path at once; one that lives keeps it")
    func publisherComesBack() async throws {
        let node = try await TestNode(routes: [Self.route])
        func publish(_ client: TestClient) async throws -> UInt16 {
            let announced = try await Self.announce(client)
            guard announced.status.code == 200 else { return announced.status.code }
            let udp = "RTP/AVP;unicast;client_port=6000-6001;mode=record"
            #expect(try await client.request(.setup, "/stream=0", ["Transport": udp]).status.code == 200)
            return try await client.request(.record).status.code
        }
        var first: TestClient? = try TestClient(node, path: "/live")
        #expect(try await publish(#require(first)) == 200)
        func arrive(_ packets: UInt64) {
            node.routing.progresses["rtsp.live.0.rtp"] = FlowProgress(
                packets: packets, hasRTP: true, lastArrival: MonotonicClock.now)
        }
        arrive(10)
        // Its packets come, and its connection is there: it lives.
        let second = try TestClient(node, path: "/live")
        #expect(try await Self.announce(second).status.code == 403)
        // Its packets still come without the connection: from another address or user it would live; the same one asks again.
        first = nil
        let isGone = await eventually { node.server.connectionCount == 1 }
        #expect(isGone)
        arrive(20)
        #expect(try await publish(second) == 200)
        #expect(node.server.sessions.count == 1)
        #expect(node.server.reports().map(\.state) == ["recording"])
        await node.stop()
    }

    @Test("R-30: a publisher's SETUP that cannot be carried out leaves the stream's earlier transport as it was")
    func setupFails() async throws {
        let node = try await TestNode(routes: [Self.route])
        let client = try TestClient(node, path: "/live")
        #expect(try await Self.announce(client).status.code == 200)
        let interleaved = "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record"
        #expect(try await client.request(.setup, "/stream=0", ["Transport": interleaved]).status.code == 200)
        let source = try #require(node.routing.reports["rtsp.live.0.rtp"]?.specification.source)
        node.routing.refusedTake = "rtsp.live.0.rtcp"
        let udp = "RTP/AVP;unicast;client_port=6000-6001;mode=record"
        #expect(try await client.request(.setup, "/stream=0", ["Transport": udp]).status.code == 500)
        #expect(node.routing.reports["rtsp.live.0.rtp"]?.specification.source == source)
        #expect(try await client.request(.record).status.code == 200)
        #expect(node.server.reports().first?.streams.map(\.address) == ["channels 0-1"])
        await node.stop()
    }

    @Test("A publisher on TCP: its packets enter the fast path, players read them, and end with it")
    func interleaved() async throws {
        let node = try await TestNode(routes: [Self.route])
        let client = try TestClient(node, path: "/live")
        let player = try TestClient(node, path: "/live")
        #expect(try await player.request(.describe).status.code == 404)
        #expect(try await Self.announce(client).status.code == 200)
        let setup = try await client.request(
            .setup, "/stream=0", ["Transport": "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record"])
        #expect(setup.headers["Transport"] == "RTP/AVP/TCP;unicast;interleaved=0-1;mode=\"RECORD\"")
        let source = try #require(node.routing.reports["rtsp.live.0.rtp"]?.specification.source)
        let fastPath = try LoopbackSocket(udpPort: source.udpPort, at: source.address)
        // Not before RECORD.
        try client.socket.send(RTSPMessage.interleaved(channel: 0, payload: [0x80, 96, 0, 1]).encoded)
        #expect(try await client.request(.record).status.code == 200)
        try client.socket.send(RTSPMessage.interleaved(channel: 0, payload: [0x80, 96, 0, 2]).encoded)
        #expect(await fastPath.receive() == [0x80, 96, 0, 2])

        let describe = try await player.request(.describe)
        #expect(String(decoding: describe.body, as: UTF8.self).contains("a=control:streamid=0\r\n"))
        let channels = try await player.request(.setup, "/streamid=0", ["Transport": "RTP/AVP/TCP;interleaved=0-1"])
        #expect(channels.status.code == 200)
        #expect(try await player.request(.play).status.code == 200)
        #expect(try await client.request(.teardown).status.code == 200)
        #expect(try await player.isClosed())
        let isGone = await eventually { node.routing.reports.isEmpty && node.server.sessions.isEmpty }
        #expect(isGone)
        await node.stop()
    }

    @Test("A publisher on UDP gets a pair of UDP ports, which take packets from its own alone")
    func udp() async throws {
        let node = try await TestNode(routes: [Self.route])
        let client = try TestClient(node, path: "/live")
        #expect(try await Self.announce(client).status.code == 200)
        let setup = try await client.request(
            .setup, "/stream=0", ["Transport": "RTP/AVP/UDP;unicast;client_port=9000-9001;mode=record"])
        let transport = try #require(TransportHeader(setup.headers)?.specifications.first)
        let source = try #require(node.routing.reports["rtsp.live.0.rtp"]?.specification.source)
        #expect(transport.serverUDPPorts?.rtp == source.udpPort && transport.source == nil)
        #expect(source.source == IPAddress(127, 0, 0, 1) && source.sourceUDPPort == 9000)
        #expect(node.routing.reports["rtsp.live.0.rtcp"]?.specification.source.sourceUDPPort == 9001)
        #expect(try await client.request(.record).status.code == 200)
        #expect(node.server.reports().first?.state == "recording")
        // Packets are a sign of life, silence is none.
        node.routing.progresses["rtsp.live.0.rtp"] = FlowProgress(packets: 7)
        await node.server.tick(now: TestNode.time(in: 70))
        await node.server.tick(now: TestNode.time(in: 140))
        #expect(node.server.sessions.count == 1)
        await node.server.tick(now: TestNode.time(in: 150))
        #expect(node.server.sessions.isEmpty && node.routing.reports.isEmpty)
        await node.stop()
    }

    /// What the fast path has counted of a publisher's stream: two packets are lost.
    private static var progress: FlowProgress {
        FlowProgress(
            packets: 98, bytes: 19_600, hasRTP: true, extendedHighestSequence: 65_636, ssrc: 0x1122_3344,
            lastArrival: MonotonicClock.now, packetRate: 50, clockRate: 90_000, expected: 100, received: 98)
    }

    private func expectReport(_ packet: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) throws {
        let compound = try RTCPCompound(parsing: packet)
        guard case .receiverReport(let report)? = compound.packets.first else {
            Issue.record("it does not begin with a receiver report", sourceLocation: sourceLocation)
            return
        }
        #expect(report.reports.map(\.ssrc) == [0x1122_3344], sourceLocation: sourceLocation)
        #expect(report.reports.map(\.cumulativeLost) == [2], sourceLocation: sourceLocation)
    }

    @Test("M-20: a publisher on TCP gets receiver reports on its channel, and a BYE when an operator ends it")
    func interleavedReports() async throws {
        let node = try await TestNode(routes: [Self.route])
        let client = try TestClient(node, path: "/live")
        #expect(try await Self.announce(client).status.code == 200)
        _ = try await client.request(.setup, "/stream=0", ["Transport": "RTP/AVP/TCP;interleaved=2-3;mode=record"])
        #expect(try await client.request(.record).status.code == 200)
        node.routing.progresses["rtsp.live.0.rtp"] = Self.progress
        for seconds: UInt64 in [1, 20] { await node.server.tick(now: TestNode.time(in: seconds)) }
        guard case .interleaved(let channel, let packet)? = try await client.next() else {
            Issue.record("no report")
            return
        }
        #expect(channel == 3)
        try expectReport(packet)
        let name = try #require(node.server.reports().first?.name)
        #expect(await node.server.close(session: name))
        guard case .interleaved(3, let last)? = try await client.next() else {
            Issue.record("no BYE")
            return
        }
        #expect(try RTCPCompound(parsing: last).packets.contains { if case .goodbye = $0 { true } else { false } })
        #expect(try await client.isClosed())
        await node.stop()
    }

    @Test("M-20: a publisher on UDP gets receiver reports at the second UDP port that it named")
    func udpReports() async throws {
        let node = try await TestNode(routes: [Self.route])
        let client = try TestClient(node, path: "/live")
        let rtcp = try LoopbackSocket(udpPort: 0)
        let udpPort = try #require(rtcp.udpPort)
        #expect(try await Self.announce(client).status.code == 200)
        _ = try await client.request(
            .setup, "/stream=0", ["Transport": "RTP/AVP;unicast;client_port=\(udpPort - 1)-\(udpPort);mode=record"])
        #expect(try await client.request(.record).status.code == 200)
        node.routing.progresses["rtsp.live.0.rtp"] = Self.progress
        for seconds: UInt64 in [1, 20] { await node.server.tick(now: TestNode.time(in: seconds)) }
        try expectReport(try #require(await rtcp.receive()))
        await node.stop()
    }

    @Test("A publisher on UDP and its players are taken over by the next daemon, and can be ended there")
    func restart() async throws {
        let directory = try TemporaryDirectory()
        let first = try await TestNode(routes: [Self.route], runtimeDirectory: directory.path)
        let client = try TestClient(first, path: "/live")
        let player = try TestClient(first, path: "/live")
        #expect(try await Self.announce(client).status.code == 200)
        _ = try await client.request(
            .setup, "/stream=0", ["Transport": "RTP/AVP;unicast;client_port=9000-9001;mode=record"])
        #expect(try await client.request(.record).status.code == 200)
        #expect(try await player.play(udpPort: 6100, streams: 1).status.code == 200)
        let source = try #require(first.routing.reports["rtsp.live.0.rtp"]?.specification.source)
        let names = first.server.reports().map(\.name)
        await first.suspend()

        let second = try await TestNode(
            routes: [Self.route], routing: first.routing, runtimeDirectory: directory.path)
        #expect(second.routing.reports["rtsp.live.0.rtp"]?.specification.source == source)
        #expect(
            second.routing.openLegs.filter { !$0.contains("rtcp") } == ["rtsp.live.0.rtp 127.0.0.1:6100"])
        #expect(second.server.reports().map(\.name) == names)
        #expect(second.server.reports().map(\.state) == ["recording", "playing"])
        let rival = try TestClient(second, path: "/live")
        #expect(try await Self.announce(rival).status.code == 403)
        let again = try TestClient(second, path: "/live")
        again.session = client.session
        #expect(try await again.request(.teardown).status.code == 200)
        let isGone = await eventually { second.server.sessions.isEmpty && second.routing.openLegs.isEmpty }
        #expect(isGone)
        #expect(try await Self.announce(rival).status.code == 200)
        await second.stop()
    }

    @Test("A publisher on TCP ends with the daemon that its connection is of: nothing of it is left for the next")
    func restartInterleaved() async throws {
        let directory = try TemporaryDirectory()
        let first = try await TestNode(routes: [Self.route], runtimeDirectory: directory.path)
        let client = try TestClient(first, path: "/live")
        #expect(try await Self.announce(client).status.code == 200)
        _ = try await client.request(.setup, "/stream=0", ["Transport": "RTP/AVP/TCP;interleaved=0-1;mode=record"])
        #expect(try await client.request(.record).status.code == 200)
        await first.suspend()
        let isGone = await eventually { first.routing.reports.isEmpty }
        #expect(isGone)
        let second = try await TestNode(
            routes: [Self.route], routing: first.routing, runtimeDirectory: directory.path)
        #expect(second.server.sessions.isEmpty)
        #expect(try await Self.announce(TestClient(second, path: "/live")).status.code == 200)
        await second.stop()
    }

    @Test("One publisher at a time: another gets 403, until the first has gone")
    func exclusive() async throws {
        let node = try await TestNode(routes: [Self.route])
        var first: TestClient? = try TestClient(node, path: "/live")
        let second = try TestClient(node, path: "/live")
        if let first { #expect(try await Self.announce(first).status.code == 200) }
        #expect(try await Self.announce(second).status.code == 403)
        first = nil
        let isFree = await eventually { node.server.publishers.isEmpty }
        #expect(isFree)
        #expect(try await Self.announce(second).status.code == 200)
        await node.stop()
    }

    @Test("R-30, R-33: RECORD before SETUP gets 455, PLAY in a publisher's session 405")
    func states() async throws {
        let node = try await TestNode(routes: [Self.route])
        let client = try TestClient(node, path: "/live")
        #expect(try await Self.announce(client).status.code == 200)
        #expect(try await client.request(.record).status.code == 455)
        let play = try await client.request(.play)
        #expect(play.status.code == 405 && play.headers["Allow"] != nil)
        #expect(try await client.request(.teardown).status.code == 200)
        await node.stop()
    }

    @Test("An ANNOUNCE that is no SDP gets 415 or 400, one without permission 401")
    func malformed() async throws {
        var guarded = Self.route
        guarded.name = "guarded"
        guarded.match = .path("/guarded")
        guarded.publish = .anyUser
        let node = try await TestNode(routes: [Self.route, guarded])
        let client = try TestClient(node, path: "/live")
        #expect(try await client.request(.announce, "", ["Content-Type": "text/plain"]).status.code == 415)
        #expect(try await client.request(.announce).status.code == 415)
        for text in ["nonsense", "", "v=0\r\ns=x\r\n"] {
            let response = try await client.request(
                .announce, "", ["Content-Type": "application/sdp"], body: Array(text.utf8))
            #expect(response.status.code == 400, "\(text)")
        }
        #expect(try await Self.announce(TestClient(node, path: "/guarded")).status.code == 401)
        #expect(node.server.sessions.isEmpty)
        await node.stop()
    }
}
