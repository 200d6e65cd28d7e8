// What connections may do and cost, and who may ask.

import AgentSupport
import Authentication
import FoundationEssentials
import Glibc
import RTPWire
import RTSPCore
import Sessions
import Testing

@testable import RTSPProxy

@Suite("Connections", .timeLimit(.minutes(1))) @AgentActor struct ConnectionTests {
    @Test("R-04: pipelined requests are answered in their order, whatever takes how long")
    func pipelining() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        try client.send(.describe)
        try client.send(.options)
        try client.send(.setup, "/streamid=0", ["Transport": "RTP/AVP;unicast;client_port=6000"])
        try client.send(RTSPMethod("FLY"))
        var statuses: [UInt16] = []
        for sequence in 1...4 {
            let response = try await client.response()
            #expect(response.sequence == UInt32(sequence))
            statuses.append(response.status.code)
        }
        #expect(statuses == [200, 200, 200, 501])
        await node.stop()
    }

    @Test("R-06, R-13: versions, HTTP and garbage get their answers, and what is no RTSP ends the connection alone")
    func garbage() async throws {
        let node = try await TestNode()
        let bystander = try TestClient(node)
        for (text, status) in [
            ("\u{0}\u{1}\r\n", "RTSP/1.0 400"), ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"),
            ("DESCRIBE rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n", "RTSP/1.0 400"),
            (String(repeating: "x", count: 70_000), "RTSP/1.0 413"),
        ] {
            let client = try TestClient(node)
            try client.socket.send(Array(text.utf8))
            let answer = try #require(await client.socket.receive())
            #expect(String(decoding: answer, as: UTF8.self).hasPrefix(status), "\(text.prefix(20).debugDescription)")
            #expect(await client.socket.receive() == [])
        }
        let client = try TestClient(node)
        try client.socket.send(Array("DESCRIBE rtsp://h/cam RTSP/2.0\r\nCSeq: 4\r\n\r\n".utf8))
        #expect(try await client.response().status.code == 505)
        #expect(try await client.request(.options).status.code == 200)
        #expect(try await bystander.request(.describe).status.code == 200)
        await node.stop()
    }

    private static func base64(_ bytes: [UInt8]) -> [UInt8] { Array(Data(bytes).base64EncodedString().utf8) }

    @Test("C-24: RTSP within HTTP: requests come by POST, answers and packets go by GET, until the client goes")
    func tunnel() async throws {
        let node = try await TestNode(streams: 1)
        let header = "x-sessioncookie: c00kie\r\nAccept: application/x-rtsp-tunnelled\r\n\r\n"
        // A POST without its GET, or from elsewhere, has no tunnel.
        let early = try LoopbackSocket(connectingTo: node.tcpPort)
        try early.send(Array("POST /cam HTTP/1.0\r\n\(header)".utf8))
        #expect(String(decoding: try #require(await early.receive()), as: UTF8.self).hasPrefix("HTTP/1.0 400"))
        let answers = try TestClient(node)
        try answers.socket.send(Array("GET /cam HTTP/1.0\r\n\(header)".utf8))
        let accepted = String(decoding: try #require(await answers.socket.receive()), as: UTF8.self)
        #expect(accepted.hasPrefix("HTTP/1.0 200 OK\r\n") && accepted.hasSuffix("\r\n\r\n"))
        let second = try LoopbackSocket(connectingTo: node.tcpPort)
        try second.send(Array("GET /cam HTTP/1.0\r\n\(header)".utf8))
        #expect(String(decoding: try #require(await second.receive()), as: UTF8.self).hasPrefix("HTTP/1.0 400"))
        let foreign = try LoopbackSocket(connectingTo: node.tcpPort, from: IPAddress(127, 0, 0, 9))
        try foreign.send(Array("POST /cam HTTP/1.0\r\n\(header)".utf8))
        #expect(String(decoding: try #require(await foreign.receive()), as: UTF8.self).hasPrefix("HTTP/1.0 400"))
        // Two POSTs, one after the other: the first is used up.
        var sequence = 0
        func request(_ method: RTSPMethod, _ suffix: String = "", _ headers: RTSPHeaders = [:]) -> [UInt8] {
            sequence += 1
            var headers = headers
            headers["CSeq"] = "\(sequence)"
            if let session = answers.session { headers["Session"] = session }
            return RTSPRequest(method, answers.base + suffix, headers: headers).encoded
        }
        let first = try LoopbackSocket(connectingTo: node.tcpPort)
        try first.send(
            Array("POST /cam HTTP/1.0\r\nContent-Length: 32767\r\n\(header)".utf8)
                + Self.base64(request(.describe)))
        #expect(try await answers.response().status.code == 200)
        let setup = Self.base64(
            request(.setup, "/streamid=0", ["Transport": "RTP/AVP/TCP;unicast;interleaved=2-3"]))
        try first.send(Array(setup.prefix(13)))
        try first.send(Array(setup.dropFirst(13)))
        let response = try await answers.response()
        answers.session = response.headers["Session"].flatMap { SessionHeader($0) }?.id
        #expect(response.headers["Transport"] == "RTP/AVP/TCP;unicast;interleaved=2-3")
        let last = try LoopbackSocket(connectingTo: node.tcpPort)
        try last.send(Array("POST /cam HTTP/1.0\r\n\(header)".utf8) + Self.base64(request(.play)))
        #expect(try await answers.response().status.code == 200)
        #expect(await first.receive() == [])
        let fastPath = try LoopbackSocket(udpPort: 0)
        try fastPath.send(
            InterleavedTests.packet(5), to: IPAddress(127, 0, 0, 1), udpPort: InterleavedTests.hostLeg(node))
        #expect(try await answers.next() == .interleaved(channel: 2, payload: InterleavedTests.packet(5)))
        // Silence of the one that only brings requests is no reason to close it.
        await node.server.tick(now: TestNode.time(in: 50))
        try last.send(Self.base64(request(.teardown)))
        #expect(try await answers.response().status.code == 200)
        #expect(node.routing.openLegs.isEmpty)
        // What is no base64 ends the POST; the end of the GET ends what is left, and its cookie is free.
        shutdown(answers.socket.descriptor, Int32(SHUT_RDWR))
        #expect(await last.receive() == [])
        let again = try LoopbackSocket(connectingTo: node.tcpPort)
        try again.send(Array("GET /cam HTTP/1.0\r\n\(header)".utf8))
        #expect(String(decoding: try #require(await again.receive()), as: UTF8.self).hasPrefix("HTTP/1.0 200"))
        await node.stop()
    }

    @Test("R-11: answers that nobody waits for, also in the middle of a request, do not disturb")
    func unsolicited() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        let response = RTSPResponse(.ok, headers: ["CSeq": "77"]).encoded
        try client.socket.send(response)
        try client.send(.describe)
        try client.socket.send(response)
        #expect(try await client.response().status.code == 200)
        #expect(try await client.request(.options).status.code == 200)
        await node.stop()
    }

    @Test("max-connections: one more is closed at once, of one address or of all")
    func limits() async throws {
        let node = try await TestNode(change: {
            $0.maximumConnections = 3
            $0.maximumConnectionsPerAddress = 2
        })
        let here = [try TestClient(node), try TestClient(node)]
        for client in here { #expect(try await client.request(.options).status.code == 200) }
        #expect(try await TestClient(node).isClosed())
        let there = try TestClient(node, from: IPAddress(127, 0, 0, 8))
        #expect(try await there.request(.options).status.code == 200)
        #expect(try await TestClient(node, from: IPAddress(127, 0, 0, 9)).isClosed())
        #expect(try await here[0].request(.options).status.code == 200)
        await node.stop()
    }

    @Test("A connection without a session that asks nothing, or never ends its message, is closed after a while")
    func idle() async throws {
        let node = try await TestNode()
        let (silent, slow, player) = (try TestClient(node), try TestClient(node), try TestClient(node))
        try await player.play(udpPort: 6000)
        try slow.socket.send(Array("OPTIONS * RTSP/1.0\r\nCSeq:".utf8))
        let isAccepted = await eventually { node.server.connectionCount == 3 }
        #expect(isAccepted)
        await node.server.tick(now: TestNode.time(in: 61))
        #expect(try await silent.isClosed())
        #expect(try await slow.isClosed())
        #expect(try await player.request(.teardown).status.code == 200)
        await node.stop()
    }

    static let closed = RTSPRoute(
        name: "cam", match: .path("/cam"), source: .upstream("rtsp://10.1.0.7/main"), read: .users(["anna"]))

    @Test("A-01: missing and wrong credentials get 401 with challenges, the connection stays, and right ones are taken")
    func authentication() async throws {
        let node = try await TestNode(routes: [Self.closed], users: ["anna": "secret", "otto": "other"])
        let client = try TestClient(node)
        let first = try await client.request(.describe)
        #expect(first.status.code == 401)
        let challenges = first.headers.all("WWW-Authenticate")
        var generator = SystemRandomNumberGenerator()
        #expect(challenges.count == 2 && challenges.allSatisfy { $0.hasPrefix("Digest ") }, "no Basic without TLS")
        for (user, password, status) in [
            ("anna", "wrong", 401), ("nobody", "secret", 401), ("otto", "other", 403), ("anna", "secret", 200),
        ] {
            var credentials = AuthenticationClient(user: user, password: password, allowsBasic: false)
            let fresh = try await client.request(.describe).headers.all("WWW-Authenticate")
            _ = credentials.challenged(by: fresh, using: &generator)
            let value = credentials.authorization(method: "DESCRIBE", uri: client.base) ?? ""
            let response = try await client.request(.describe, "", ["Authorization": value])
            #expect(response.status.code == UInt16(status), "\(user) \(password)")
            #expect(response.headers.all("WWW-Authenticate").isEmpty == (status != 401))
        }
        #expect(try await client.request(.options).status.code == 200)
        await node.stop()
    }

    @Test("A-01: a session is its user's; SETUP and PLAY need credentials again, 407 never comes")
    func userOfSession() async throws {
        let node = try await TestNode(
            routes: [
                {
                    var route = Self.closed
                    route.read = .anyUser
                    return route
                }()
            ], users: ["anna": "secret", "otto": "other"])
        let client = try TestClient(node)
        var generator = SystemRandomNumberGenerator()
        var users: [String: AuthenticationClient] = [:]
        for (user, password) in ["anna": "secret", "otto": "other"] {
            let challenges = try await client.request(.describe).headers.all("WWW-Authenticate")
            users[user] = AuthenticationClient(user: user, password: password, allowsBasic: false)
            _ = users[user]?.challenged(by: challenges, using: &generator)
        }
        func ask(_ method: RTSPMethod, _ user: String, _ suffix: String = "") async throws -> UInt16 {
            let value = users[user]?.authorization(method: method.name, uri: client.base + suffix)
            return try await client.request(
                method, suffix,
                ["Authorization": value ?? "", "Transport": "RTP/AVP;unicast;client_port=6000"]
            ).status.code
        }
        #expect(try await ask(.setup, "anna", "/streamid=0") == 200)
        #expect(try await client.request(.play).status.code == 401)
        #expect(try await ask(.play, "otto") == 454)
        #expect(try await ask(.play, "anna") == 200)
        #expect(node.server.reports().first?.user == "anna")
        await node.stop()
    }

    @Test("Addresses that a route does not allow get 403")
    func allowedNetworks() async throws {
        var route = Self.closed
        route.read = .anyone
        route.allowedNetworks = ["127.0.0.8/31", "10.0.0.0/8"]
        let node = try await TestNode(routes: [route])
        #expect(try await TestClient(node).request(.describe).status.code == 403)
        #expect(try await TestClient(node, from: IPAddress(127, 0, 0, 9)).request(.describe).status.code == 200)
        await node.stop()
    }
}
