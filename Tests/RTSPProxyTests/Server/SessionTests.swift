// What sessions live and end by, and what they keep from each other.

import AgentSupport
import RTPWire
import RTSPCore
import Routing
import Sessions
import Testing

@testable import RTSPProxy

@Suite("Sessions", .timeLimit(.minutes(1))) @AgentActor struct SessionTests {
    static func udp(_ udpPort: Int) -> RTSPHeaders { ["Transport": "RTP/AVP;unicast;client_port=\(udpPort)"] }

    @Test("R-29: a session that is missing, unknown, ended or another address's gets 454 whatever is asked for")
    func notFound() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        for method in [RTSPMethod.play, .pause, .teardown, .record] {
            #expect(try await client.request(method).status.code == 454)
        }
        for method in [RTSPMethod.options, .setup, .play, .getParameter, .setParameter, .teardown, .describe] {
            #expect(try await client.request(method, "/streamid=0", ["Session": "12345678"]).status.code == 454)
        }
        try await client.play(udpPort: 6000)
        let stranger = try TestClient(node, from: IPAddress(127, 0, 0, 9))
        stranger.session = client.session
        #expect(try await stranger.request(.teardown).status.code == 454)
        #expect(try await client.request(.teardown).status.code == 200)
        #expect(try await client.request(.play).status.code == 454)
        await node.stop()
    }

    @Test("R-25, R-26: requests keep a session alive; without any it ends, with its legs")
    func expiry() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        try await client.play(udpPort: 6000)
        for method in [RTSPMethod.options, .getParameter, .setParameter, .play] {
            #expect(try await client.request(method, uri: method == .options ? "*" : nil).status.code == 200)
        }
        await node.server.tick(now: TestNode.time(in: 60))
        #expect(node.server.sessions.count == 1)
        await node.server.tick(now: TestNode.time(in: 80))
        #expect(node.server.sessions.isEmpty && node.routing.openLegs.isEmpty && node.server.endpoints.isEmpty)
        // The connection has nothing to live for either.
        #expect(try await client.isClosed())
        let other = try TestClient(node)
        other.session = client.session
        #expect(try await other.request(.play).status.code == 454)
        await node.stop()
    }

    @Test("R-26: RTCP of the player keeps its session alive without any request")
    func rtcp() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        let report = try LoopbackSocket(udpPort: 0)
        // The player's RTCP comes from its second UDP port.
        let udpPort = try #require(report.udpPort)
        let setup = try await client.request(
            .setup, "/streamid=0", ["Transport": "RTP/AVP;unicast;client_port=\(udpPort - 1)-\(udpPort)"])
        let server = try #require(TransportHeader(setup.headers)?.specifications.first?.serverUDPPorts)
        try await client.request(.play)
        let session = try #require(node.server.sessions.values.first)
        let before = try #require(session.core.deadline)
        try report.send([0x80, 201, 0, 1, 0, 0, 0, 1], to: IPAddress(127, 0, 0, 1), udpPort: server.rtp + 1)
        let isLonger = await eventually { (session.core.deadline ?? 0) > before }
        #expect(isLonger)
        await node.stop()
    }

    @Test("R-26: RTCP of a player on the node itself is heard at the host port, and keeps its session alive")
    func rtcpAtHostPort() async throws {
        let node = try await TestNode()
        node.routing.isPeerLocal = true
        let client = try TestClient(node)
        // What the leg at the host port sends comes from the fast path's end, and from the player's own UDP port.
        let report = try LoopbackSocket(udpPort: 0, at: MockRouting.fastPath)
        let udpPort = try #require(report.udpPort)
        let setup = try await client.request(
            .setup, "/streamid=0", ["Transport": "RTP/AVP;unicast;client_port=\(udpPort - 1)-\(udpPort)"])
        let transport = try #require(TransportHeader(setup.headers)?.specifications.first)
        try await client.request(.play)
        let route = try #require(node.routing.reports["rtsp.players.127.0.0.2.rtcp"])
        #expect(route.specification.source.udpPort == transport.serverUDPPorts?.rtcp)
        #expect(route.specification.source.source == IPAddress(127, 0, 0, 1) && route.legs.count == 1)
        let leg = try #require(route.legs.first?.specification)
        #expect(leg.sourceUDPPort == nil)
        let session = try #require(node.server.sessions.values.first)
        let before = try #require(session.core.deadline)
        try report.send([0x80, 201, 0, 1, 0, 0, 0, 1], to: leg.address, udpPort: leg.udpPort)
        let isLonger = await eventually { (session.core.deadline ?? 0) > before }
        #expect(isLonger)
        await node.stop()
    }

    @Test("R-42: RTP/SAVP gets 461, and the alternative after it is taken; what is set up is not disturbed")
    func secureProfile() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        try await client.play(udpPort: 6000)
        let legs = node.routing.openLegs
        let stranger = try TestClient(node)
        for profile in ["RTP/SAVP", "RTP/SAVPF", "RTP/SAVP/TCP", "UDP/TLS/RTP/SAVP"] {
            let refused = try await stranger.request(
                .setup, "/streamid=0", ["Transport": "\(profile);unicast;client_port=7000-7001"])
            #expect(refused.status.code == 461, "\(profile)")
        }
        let setup = try await stranger.request(
            .setup, "/streamid=0",
            ["Transport": "RTP/SAVP;unicast;client_port=7000-7001,RTP/AVP;unicast;client_port=7000-7001"])
        #expect(setup.status.code == 200)
        #expect(TransportHeader(setup.headers)?.specifications.first?.profile == .avp)
        #expect(node.routing.openLegs == legs && node.server.sessions.count == 2)
        await node.stop()
    }

    @Test("R-49: a stream whose packets do not fit is refused by UDP and by multicast, and interleaved is taken")
    func misfit() async throws {
        let node = try await TestNode {
            $0.multicast = MulticastPool(
                first: IPAddress(239, 1, 1, 0), count: 8, port: PortReference(interface: "lo"))
        }
        node.routing.misfits["rtsp.cam.0.rtp"] = "packets of 4028 bytes are longer than the MTU of lo"
        let client = try TestClient(node)
        #expect(try await client.request(.setup, "/streamid=0", Self.udp(6000)).status.code == 461)
        #expect(
            try await client.request(.setup, "/streamid=0", ["Transport": "RTP/AVP;multicast"]).status.code == 461)
        #expect(try await client.request(.setup, "/streamid=1", Self.udp(6002)).status.code == 200)
        let either = "RTP/AVP;unicast;client_port=6000-6001,RTP/AVP/TCP;unicast;interleaved=0-1"
        let setup = try await client.request(.setup, "/streamid=0", ["Transport": either])
        #expect(setup.status.code == 200 && setup.headers["Transport"]?.contains("interleaved=0-1") == true)
        let report = try #require(node.server.reports().first)
        #expect(report.streams.map(\.transport) == ["interleaved", "udp"])
        #expect(report.notes.contains { $0.contains("stream 0: not by UDP: packets of 4028 bytes") })
        let counters = node.context.counters.report().filter { $0.name == "rtsp_oversized_streams_total" }
        #expect(counters.map(\.value) == [3])
        await node.stop()
    }

    @Test("R-49: of a stream that turns out not to fit, a player's session and a counter tell, once")
    func lateMisfit() async throws {
        let node = try await TestNode(streams: 1)
        let client = try TestClient(node)
        try await client.play(udpPort: 6000, streams: 1)
        node.routing.misfits["rtsp.cam.0.rtp"] = "packets of 4028 bytes are longer than the MTU of lo"
        for seconds: UInt64 in [4, 35, 36] { await node.server.tick(now: TestNode.time(in: seconds)) }
        #expect(node.server.reports().first?.notes.count == 1)
        #expect(node.context.counters.report().first { $0.name == "rtsp_oversized_streams_total" }?.value == 1)
        #expect(node.routing.openLegs.count == 2, "nothing that fits is held back")
        await node.stop()
    }

    @Test("R-27: a session on UDP goes on without its connection, and is controlled from another one")
    func reconnection() async throws {
        let node = try await TestNode()
        var client: TestClient? = try TestClient(node)
        try await client?.play(udpPort: 6000)
        let id = client?.session
        client = nil
        let other = try TestClient(node)
        let isGone = await eventually { node.server.connectionCount == 1 }
        #expect(isGone && node.routing.openLegs.count == 4)
        other.session = id
        #expect(try await other.request(.pause).status.code == 200)
        #expect(node.routing.openLegs.isEmpty)
        #expect(try await other.request(.teardown).status.code == 200)
        await node.stop()
    }

    @Test("R-31: TEARDOWN of one stream ends its copies alone; of the last one, the session")
    func teardownOfStream() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        try await client.play(udpPort: 6000)
        #expect(try await client.request(.teardown, "/streamid=0").status.code == 200)
        let rest = await eventually {
            node.routing.openLegs == ["rtsp.cam.1.rtcp 127.0.0.1:6003", "rtsp.cam.1.rtp 127.0.0.1:6002"]
        }
        #expect(rest)
        #expect(try await client.request(.teardown, "/streamid=1").status.code == 200)
        #expect(node.server.sessions.isEmpty)
        await node.stop()
    }

    @Test("R-31: SETUP of another presentation into a session gets 459, PLAY of another path 404")
    func otherPresentation() async throws {
        let routes = [RTSPRoute(name: "all", match: .prefix("/"), source: .upstream("rtsp://10.1.0.7/"))]
        let node = try await TestNode(routes: routes)
        let client = try TestClient(node)
        #expect(try await client.request(.setup, "/streamid=0", Self.udp(6000)).status.code == 200)
        #expect(try await client.request(.setup, "2/streamid=0", Self.udp(6002)).status.code == 459)
        #expect(try await client.request(.play, "2").status.code == 404)
        #expect(try await client.request(.play, uri: client.base + "/").status.code == 200)
        await node.stop()
    }

    @Test("R-30: SETUP of a stream that plays gets 455 with Allow and disturbs nothing")
    func setupWhilePlaying() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        try await client.play(udpPort: 6000)
        let all = await eventually { node.routing.openLegs.count == 4 }
        #expect(all)
        let refused = try await client.request(.setup, "/streamid=0", Self.udp(6100))
        #expect(refused.status.code == 455 && refused.headers["Allow"]?.contains("PAUSE") == true)
        #expect(try await client.request(.play).status.code == 200)
        #expect(node.routing.openLegs.count == 4)
        await node.stop()
    }

    @Test("R-30: a SETUP that cannot be carried out leaves the stream's earlier transport as it was")
    func setupFails() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        let interleaved: RTSPHeaders = ["Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"]
        let away = RoutingError(.unavailable, "no way there")
        #expect(try await client.request(.setup, "/streamid=0", interleaved).status.code == 200)
        node.routing.attachmentRefusal = away
        #expect(try await client.request(.setup, "/streamid=0", Self.udp(6000)).status.code == 503)
        #expect(node.server.endpoints.isEmpty)
        #expect(node.server.reports().first?.streams.map(\.address) == ["channels 0-1"])
        #expect(try await client.request(.setup, "/streamid=1", interleaved).status.code == 461)
        // The same between two transports that share a UDP port.
        node.routing.attachmentRefusal = nil
        #expect(try await client.request(.setup, "/streamid=0", Self.udp(6000)).status.code == 200)
        #expect(try await client.request(.setup, "/streamid=1", interleaved).status.code == 200)
        node.routing.attachmentRefusal = away
        #expect(try await client.request(.setup, "/streamid=0", Self.udp(6001)).status.code == 503)
        #expect(Set(node.server.endpoints.keys.map(\.udpPort)) == [6000, 6001])
        node.routing.attachmentRefusal = nil
        #expect(try await client.request(.setup, "/streamid=0", Self.udp(6001)).status.code == 200)
        #expect(Set(node.server.endpoints.keys.map(\.udpPort)) == [6001, 6002])
        #expect(try await client.request(.play).status.code == 200)
        await node.stop()
        #expect(node.server.endpoints.isEmpty)
    }

    @Test("R-33: PLAY of other units gets 501, RECORD in a player's session 405, parameters 451")
    func refusals() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        #expect(try await client.request(.setup, "/streamid=0", Self.udp(6000)).status.code == 200)
        #expect(try await client.request(.play, "", ["Range": "smpte=0:10:00-"]).status.code == 501)
        #expect(try await client.request(.play, "", ["Range": "npt=x-"]).status.code == 457)
        let record = try await client.request(.record)
        #expect(record.status.code == 405 && record.headers["Allow"]?.contains("PLAY") == true)
        let body = Array("packets_received\r\n".utf8)
        #expect(try await client.request(.getParameter, body: body).status.code == 451)
        let play = try await client.request(.play, "", ["Scale": "2"])
        #expect(play.headers["Scale"] == "1.0")
        await node.stop()
    }

    @Test("R-37: destination= of somebody else is refused unless the route allows the network")
    func destination() async throws {
        var route = RTSPRoute(name: "cam", match: .path("/cam"), source: .upstream("rtsp://10.1.0.7/main"))
        route.allowedDestinations = ["10.9.0.0/16", "239.0.0.0/8"]
        let node = try await TestNode(routes: [route])
        let client = try TestClient(node)
        for (address, status) in [("10.8.0.1", 403), ("239.1.1.1", 403), ("victim.example", 462), ("10.9.7.7", 200)] {
            let transport = "RTP/AVP;unicast;destination=\(address);client_port=6000-6001"
            let response = try await client.request(.setup, "/streamid=0", ["Transport": transport])
            #expect(response.status.code == UInt16(status), "\(address)")
        }
        #expect(try await client.request(.play).status.code == 200)
        let isSent = await eventually { node.routing.openLegs.contains("rtsp.cam.0.rtp 10.9.7.7:6000") }
        #expect(isSent)
        await node.stop()
    }

    @Test("R-38: UDP ports at which another session receives are refused, and free again when it has ended")
    func samePorts() async throws {
        let node = try await TestNode()
        let (one, other) = (try TestClient(node), try TestClient(node))
        try await one.play(udpPort: 6000)
        for udpPort in [6000, 5999, 6001, 6003] {
            #expect(try await other.request(.setup, "/streamid=0", Self.udp(udpPort)).status.code == 461)
        }
        #expect(node.server.sessions.count == 1 && node.routing.openLegs.count == 4)
        #expect(try await one.request(.teardown).status.code == 200)
        #expect(try await other.request(.setup, "/streamid=0", Self.udp(6000)).status.code == 200)
        // Another transport for the same stream of the same session is no clash with itself.
        #expect(try await other.request(.setup, "/streamid=0", Self.udp(6000)).status.code == 200)
        #expect(try await other.request(.setup, "/streamid=1", Self.udp(6000)).status.code == 461)
        await node.stop()
    }

    @Test(
        "C-17: a player that crashed and asks for its UDP ports again has them at once; while its connection is there, not"
    )
    func portsAfterACrash() async throws {
        let node = try await TestNode()
        var crashed: TestClient? = try TestClient(node)
        try await crashed?.play(udpPort: 6000)
        let again = try TestClient(node)
        #expect(try await again.request(.setup, "/streamid=0", Self.udp(6000)).status.code == 461)
        crashed = nil
        let isGone = await eventually { node.server.connectionCount == 1 }
        #expect(isGone)
        try await again.play(udpPort: 6000)
        #expect(node.server.sessions.count == 1 && node.routing.openLegs.count == 4)
        await node.stop()
    }

    @Test("F-11: an operator sees a session without its identifier, and closes it; one that is not there is told")
    func operators() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        for stream in 0..<2 {
            var headers = Self.udp(6000 + 2 * stream)
            headers["User-Agent"] = "player/1"
            #expect(try await client.request(.setup, "/streamid=\(stream)", headers).status.code == 200)
        }
        try await client.request(.play)
        let report = try #require(node.server.reports().first)
        #expect(report.state == "playing" && report.target == "/cam" && report.agent == "player/1")
        #expect(report.streams.map(\.address) == ["127.0.0.1:6000", "127.0.0.1:6002"])
        #expect(report.name != client.session && report.kind == .rtspPlayer)
        #expect(await node.server.close(session: report.name))
        #expect(node.routing.openLegs.isEmpty)
        #expect(await !node.server.close(session: report.name))
        #expect(try await client.request(.play).status.code == 454)
        await node.stop()
    }

    @Test("F-11: one session more than max-sessions gets 503, and takes nothing")
    func sessionLimit() async throws {
        let node = try await TestNode(change: { $0.maximumSessions = 1 })
        let client = try TestClient(node)
        #expect(try await client.request(.setup, "/streamid=0", Self.udp(6000)).status.code == 200)
        let other = try TestClient(node)
        #expect(try await other.request(.setup, "/streamid=0", Self.udp(6100)).status.code == 503)
        #expect(try await client.request(.teardown).status.code == 200)
        let isClosed = await eventually { node.source()?.closed == 1 }
        #expect(isClosed, "the refused one uses the path no longer")
        await node.stop()
    }

    @Test("A route's end ends its sessions")
    func routeRemoved() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        try await client.play(udpPort: 6000)
        try await node.paths.remove("cam")
        let isEnded = await eventually { node.server.sessions.isEmpty }
        #expect(isEnded)
        #expect(try await client.request(.describe, "", ["Session": ""]).status.code == 454)
        client.session = nil
        #expect(try await client.request(.describe).status.code == 404)
        await node.stop()
    }
}
