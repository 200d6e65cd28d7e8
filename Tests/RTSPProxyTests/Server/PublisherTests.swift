// Publishers: ANNOUNCE, RECORD, and players of what they send.

import AgentSupport
import RTPWire
import RTSPCore
import Routing
import Sessions
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
