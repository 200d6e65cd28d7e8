// One client against all others: shares of what the node has, rates, and memory.

import AgentSupport
import Authentication
import NIOCore
import Logging
import RTPWire
import RTSPCore
import Routing
import Testing

@testable import RTSPProxy

@Suite("Fair shares", .timeLimit(.minutes(1))) @AgentActor struct FairnessTests {
    private static let elsewhere = IPAddress(127, 0, 0, 8)

    private static func udp(_ udpPort: UInt16) -> RTSPHeaders {
        ["Transport": "RTP/AVP;unicast;client_port=\(udpPort)"]
    }

    private func text(_ response: RTSPResponse) -> String { String(decoding: response.body, as: UTF8.self) }

    @Test(
        "max-sessions-per-address: one more gets 453 and the reason, whatever connection it comes on; others get theirs"
    )
    func sessions() async throws {
        let node = try await TestNode(change: { $0.maximumSessionsPerAddress = 2 })
        let clients = [try TestClient(node), try TestClient(node), try TestClient(node)]
        for (number, client) in clients.enumerated() {
            let response = try await client.request(.setup, "/streamid=0", Self.udp(6000 + UInt16(number) * 2))
            #expect(response.status.code == (number < 2 ? 200 : 453))
            if number == 2 { #expect(text(response).contains("max-sessions-per-address")) }
        }
        let other = try TestClient(node, from: Self.elsewhere)
        #expect(try await other.request(.setup, "/streamid=0", Self.udp(6000)).status.code == 200)
        #expect(try await clients[0].request(.teardown).status.code == 200)
        #expect(try await clients[2].request(.setup, "/streamid=0", Self.udp(6004)).status.code == 200)
        await node.stop()
        #expect(node.context.shares.sessions.total == 0)
    }

    @Test("One connection begins no more than so many sessions, and goes on with those that it has")
    func sessionsOfConnection() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        for number in 0...SourceShares.sessionsPerConnection {
            client.session = nil
            let response = try await client.request(.setup, "/streamid=0", Self.udp(6000 + UInt16(number) * 2))
            #expect(response.status.code == (number < SourceShares.sessionsPerConnection ? 200 : 453))
        }
        let other = try TestClient(node)
        #expect(try await other.request(.setup, "/streamid=0", Self.udp(7000)).status.code == 200)
        await node.stop()
    }

    @Test("Sources of trusted-networks are bound by the totals alone")
    func trusted() async throws {
        let node = try await TestNode(change: {
            $0.maximumSessions = 3
            $0.maximumSessionsPerAddress = 1
            $0.maximumConnectionsPerAddress = 1
            $0.trustedNetworks = [IPNetwork("127.0.0.8/32")].compactMap { $0 }
        })
        for number in 0..<4 as Range<UInt16> {
            let client = try TestClient(node, from: Self.elsewhere)
            let response = try await client.request(.setup, "/streamid=0", Self.udp(6000 + number * 2))
            #expect(response.status.code == (number < 3 ? 200 : 503))
        }
        await node.stop()
    }

    @Test("max-players-per-address: one more copy by UDP gets 453 at PLAY, TCP goes on, and so do others")
    func legs() async throws {
        let node = try await TestNode(change: { $0.maximumPlayersPerAddress = 2 })
        let clients = [try TestClient(node), try TestClient(node), try TestClient(node)]
        for (number, client) in clients.enumerated() {
            let response = try await client.play(udpPort: 6000 + UInt16(number) * 4)
            #expect(response.status.code == (number < 2 ? 200 : 453))
            if number == 2 { #expect(text(response).contains("max-players-per-address")) }
        }
        let tcp = try TestClient(node)
        #expect(
            try await tcp.request(.setup, "/streamid=0", ["Transport": "RTP/AVP/TCP;interleaved=0-1"]).status.code
                == 200)
        #expect(try await tcp.request(.play).status.code == 200)
        #expect(try await TestClient(node, from: Self.elsewhere).play(udpPort: 6000).status.code == 200)
        #expect(try await clients[0].request(.pause).status.code == 200)
        #expect(try await clients[2].request(.play).status.code == 200)
        await node.stop()
    }

    @Test("However many sources play by UDP, legs stay for the host port and for groups: the last ones get 453")
    func keptLegs() throws {
        let context = ProxyContext(
            configuration: RTSPConfiguration(), routing: MockRouting(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let legs = PlayerLegs(shares: context.shares, share: 512)
        var taken = 0
        func take(_ number: Int) -> RoutingError? {
            do throws(RoutingError) {
                try legs.take(for: IPAddress(10, 0, UInt8(number >> 8), UInt8(number & 0xff)))
                taken += 1
                return nil
            } catch { return error }
        }
        for number in 0..<504 { #expect(take(number) == nil) }
        #expect(take(504)?.code == .capacity)
        #expect(RTSPRefusal(try #require(take(505))).response.status == .notEnoughBandwidth)
        #expect(taken == 504)
    }

    @Test("max-paths-per-address, max-paths-per-route: a client makes no more paths of a prefix than its share")
    func paths() async throws {
        let node = try await TestNode(
            routes: [
                RTSPRoute(name: "pre", match: .prefix("/pre"), source: .upstream("rtsp://10.1.0.7")),
                RTSPRoute(name: "cam", match: .path("/cam"), source: .upstream("rtsp://10.1.0.7/main")),
            ],
            change: {
                $0.maximumPathsPerAddress = 2
                $0.maximumPathsPerRoute = 3
                $0.linger = 60
            })
        func describe(_ path: String, from source: IPAddress? = nil) async throws -> RTSPResponse {
            try await TestClient(node, path: path, from: source).request(.describe)
        }
        #expect(try await describe("/pre/1").status.code == 200)
        #expect(try await describe("/pre/2").status.code == 200)
        let refused = try await describe("/pre/3")
        #expect(refused.status.code == 453 && text(refused).contains("max-paths-per-address"))
        // What is there already is everybody's, and a path of the configuration is none of them.
        #expect(try await describe("/pre/1").status.code == 200)
        #expect(try await describe("/cam").status.code == 200)
        #expect(try await describe("/pre/3", from: Self.elsewhere).status.code == 200)
        let full = try await describe("/pre/4", from: Self.elsewhere)
        #expect(full.status.code == 453 && text(full).contains("max-paths-per-route"))
        #expect(node.source("/pre/4") == nil, "no upstream was called")
        await node.stop()
    }

    @Test("Whoever does not authenticate, or may not come, holds no place for a path")
    func pathsOfStrangers() async throws {
        var route = RTSPRoute(
            name: "pre", match: .prefix("/pre"), source: .upstream("rtsp://10.1.0.7"), read: .anyUser)
        route.allowedNetworks = ["127.0.0.1/32"]
        let node = try await TestNode(
            routes: [route], users: ["anna": "secret"], change: { $0.maximumPathsPerAddress = 1 })
        for number in 0..<5 {
            let client = try TestClient(node, path: "/pre/\(number)")
            #expect(try await client.request(.describe).status.code == 401)
            let outsider = try TestClient(node, path: "/pre/\(number)", from: Self.elsewhere)
            #expect(try await outsider.request(.describe).status.code == 403)
        }
        #expect(node.paths.paths(of: "pre").isEmpty)
        await node.stop()
    }

    @Test("Pipelined requests of one client wait at its rate, and others are answered at once")
    func requests() async throws {
        let node = try await TestNode(change: { $0.maximumRequestsPerSecond = 100 })
        let flood = try TestClient(node, from: Self.elsewhere)
        try flood.socket.send(Array(String(repeating: "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", count: 1500).utf8))
        let began = ContinuousClock.now
        let client = try TestClient(node)
        for _ in 0..<50 { #expect(try await client.request(.options).status.code == 200) }
        var answers = 0
        while let bytes = flood.socket.receiveNow(), !bytes.isEmpty {
            answers += String(decoding: bytes, as: UTF8.self).split(separator: "RTSP/1.0 200").count
        }
        let seconds = Double((ContinuousClock.now - began) / .milliseconds(1)) / 1000
        #expect(Double(answers) <= 104 + 100 * seconds, "no more than a burst, a turn and the rate")
        await node.stop()
    }

    @Test("Nothing is lost of requests that wait for their turn")
    func turns() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        let count = 300
        let requests = (1...count).map { "OPTIONS * RTSP/1.0\r\nCSeq: \($0)\r\n\r\n" }.joined()
        try client.socket.send(Array(requests.utf8))
        for number in 1...count { #expect(try await client.response().sequence == UInt32(number)) }
        await node.stop()
    }

    @Test("Bodies that no method needs are refused by their length, and what ANNOUNCE needs is taken")
    func bodies() async throws {
        let node = try await TestNode()
        for method in [RTSPMethod.options, .getParameter, .setParameter, .describe, .setup] {
            let client = try TestClient(node)
            try client.socket.send(
                Array("\(method.name) rtsp://h/cam RTSP/1.0\r\nCSeq: 3\r\nContent-Length: 4097\r\n\r\n".utf8))
            let response = try await client.response()
            #expect(response.status.code == 413 && response.sequence == 3)
            #expect(try await client.isClosed())
        }
        let publisher = try TestClient(node)
        #expect(
            try await publisher.request(.announce, body: [UInt8](repeating: 0x61, count: 40_000)).status.code == 405)
        await node.stop()
    }

    @Test(
        "Unfinished requests of one source keep no more memory than its share: its connections are closed, not others'")
    func memory() async throws {
        let node = try await TestNode()
        let bystander = try TestClient(node)
        #expect(try await bystander.request(.options).status.code == 200)
        let part = Array(
            ("ANNOUNCE rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 65000\r\n\r\n"
                + String(repeating: "x", count: 60_000)).utf8)
        var clients: [TestClient] = []
        for _ in 0..<50 {
            let client = try TestClient(node, from: Self.elsewhere)
            try? client.socket.send(part)
            clients.append(client)
        }
        let isBounded = await eventually {
            node.context.shares.received.held(by: SourceKey(Self.elsewhere)) > 1 << 20
                && node.server.connectionCount < 45
        }
        #expect(isBounded)
        #expect(node.context.shares.received.total <= 2 << 20)
        #expect(
            try await bystander.request(.announce, body: [UInt8](repeating: 0x61, count: 40_000)).status.code == 405)
        clients = []
        let isFree = await eventually { node.context.shares.received.total == 0 }
        #expect(isFree, "connections that are gone hold nothing")
        await node.stop()
    }

    @Test("A connection whose request is being served is not idle, however long that takes")
    func servedSlowly() async throws {
        let node = try await TestNode(sourceDelay: .milliseconds(300))
        let client = try TestClient(node)
        try client.send(.describe)
        let isAsked = await eventually { node.source() != nil }
        #expect(isAsked)
        await node.server.tick(now: TestNode.time(in: 3600))
        #expect(try await client.response().status.code == 200)
        await node.stop()
    }

    @Test("Wrong passwords of one source are looked at no further after ten, one in some seconds; others log in")
    func guesses() async throws {
        let route = RTSPRoute(
            name: "cam", match: .path("/cam"), source: .upstream("rtsp://10.1.0.7/main"), read: .anyUser)
        let node = try await TestNode(routes: [route], users: ["anna": "secret"])
        var generator = SystemRandomNumberGenerator()
        func login(_ client: TestClient, _ password: String) async throws -> RTSPResponse {
            var credentials = AuthenticationClient(user: "anna", password: password, allowsBasic: false)
            let challenges = try await client.request(.describe).headers.all("WWW-Authenticate")
            _ = credentials.challenged(by: challenges, using: &generator)
            let value = credentials.authorization(method: "DESCRIBE", uri: client.base) ?? ""
            return try await client.request(.describe, "", ["Authorization": value])
        }
        let guesser = try TestClient(node, from: Self.elsewhere)
        for number in 0..<9 { #expect(try await login(guesser, "\(number)").status.code == 401) }
        #expect(try await login(guesser, "secret").status.code == 200, "a right one makes up for the wrong ones")
        for number in 0..<10 { #expect(try await login(guesser, "\(number)").status.code == 401) }
        let refused = try await login(TestClient(node, from: Self.elsewhere), "secret")
        #expect(refused.status.code == 503)
        #expect(refused.headers["Retry-After"].flatMap { Int($0) }.map { (1...5).contains($0) } == true)
        #expect(try await login(TestClient(node), "secret").status.code == 200)
        await node.stop()
    }

    @Test("A packet that is kept takes its own length of memory, not that of the batch that it came with")
    func compact() {
        var batch = ByteBuffer(repeating: 7, count: 590_000)
        let packet = batch.readSlice(length: 200)
        #expect(packet?.storageCapacity ?? 0 >= 590_000)
        #expect(packet?.compact == packet)
        #expect(packet?.compact.storageCapacity ?? .max <= 256)
    }
}
