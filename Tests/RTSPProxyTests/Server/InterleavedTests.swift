// Players on TCP: channels, what ends with a connection, and one that does not keep up.

import AgentSupport
import NIOCore
import RTPWire
import RTSPCore
import Routing
import Sessions
import Testing

@testable import RTSPProxy

@Suite("Players on TCP", .timeLimit(.minutes(1))) @AgentActor struct InterleavedTests {
    static func channels(_ first: Int) -> RTSPHeaders {
        ["Transport": "RTP/AVP/TCP;unicast;interleaved=\(first)-\(first + 1)"]
    }

    /// An RTP packet with a payload of `length` bytes; four packets are a frame.
    static func packet(_ sequence: Int, length: Int = 100) -> [UInt8] {
        let timestamp = sequence / 4
        return [0x80, 96, UInt8(sequence >> 8 & 0xff), UInt8(sequence & 0xff)]
            + [24, 16, 8, 0].map { UInt8(timestamp >> $0 & 0xff) } + [0, 0, 0, 1]
            + [UInt8](repeating: UInt8(ascii: "$"), count: length)
    }

    /// Where the fast path would send the stream for players on TCP.
    static func hostLeg(_ node: TestNode, _ route: String = "rtsp.cam.0.rtp") throws -> UInt16 {
        try #require(node.routing.reports[route]?.legs.first).specification.udpPort
    }

    @Test("R-41: channels are the client's, or the first free ones; another stream's are refused")
    func channels() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        #expect(
            try await client.request(.setup, "/streamid=0", Self.channels(6)).headers["Transport"]
                == "RTP/AVP/TCP;unicast;interleaved=6-7")
        #expect(try await client.request(.setup, "/streamid=1", Self.channels(6)).status.code == 461)
        #expect(try await client.request(.setup, "/streamid=1", Self.channels(7)).status.code == 461)
        let chosen = try await client.request(.setup, "/streamid=1", ["Transport": "RTP/AVP/TCP"])
        #expect(chosen.headers["Transport"] == "RTP/AVP/TCP;unicast;interleaved=0-1")
        #expect(try await client.request(.setup, "/streamid=0", Self.channels(254)).status.code == 200)
        #expect(Set(node.server.sessions.values.first?.carrier?.channels.keys.sorted() ?? []) == [0, 1, 254, 255])
        await node.stop()
    }

    @Test(
        "R-46, F-01: packets come on their channels after the response, each once, and share one leg of the fast path")
    func delivery() async throws {
        let node = try await TestNode(streams: 1)
        let clients = [try TestClient(node), try TestClient(node)]
        for client in clients {
            #expect(try await client.request(.setup, "/streamid=0", Self.channels(2)).status.code == 200)
            #expect(try await client.request(.play).status.code == 200)
        }
        #expect(node.routing.openLegs.count == 2, "one leg for RTP and one for RTCP, whatever the number of players")
        let socket = try LoopbackSocket(udpPort: 0)
        let here = IPAddress(127, 0, 0, 1)
        let udpPort = try Self.hostLeg(node)
        for sequence in 0..<50 {
            try socket.send(Self.packet(sequence), to: here, udpPort: udpPort)
            for client in clients {
                #expect(try await client.next() == .interleaved(channel: 2, payload: Self.packet(sequence)))
            }
        }
        try socket.send([0x80, 200, 0, 0], to: here, udpPort: Self.hostLeg(node, "rtsp.cam.0.rtcp"))
        for client in clients {
            #expect(try await client.next() == .interleaved(channel: 3, payload: [0x80, 200, 0, 0]))
        }
        for client in clients {
            // what the player sends, known channels or not, is no reason for anything.
            for channel: UInt8 in [2, 3, 99] {
                try client.socket.send(RTSPMessage.interleaved(channel: channel, payload: [0x24, 0x24]).encoded)
            }
            #expect(try await client.request(.teardown).status.code == 200)
            client.session = nil
            try socket.send(Self.packet(99), to: here, udpPort: udpPort)
            #expect(try await client.request(.options).status.code == 200)
        }
        #expect(node.routing.openLegs.isEmpty)
        await node.stop()
    }

    @Test("C-22: the first player of a cold path gets the source's first packet, behind the response")
    func firstPlayer() async throws {
        let node = try await TestNode(streams: 1)
        let client = try TestClient(node)
        #expect(try await client.request(.setup, "/streamid=0", Self.channels(2)).status.code == 200)
        let source = try #require(node.source())
        source.waitsForPlay = true
        let socket = try LoopbackSocket(udpPort: 0)
        source.onPlay = {
            // It sends before it answers.
            guard let udpPort = try? Self.hostLeg(node) else { return }
            for sequence in 7...9 {
                try? socket.send(Self.packet(sequence), to: IPAddress(127, 0, 0, 1), udpPort: udpPort)
            }
            node.routing.progresses["rtsp.cam.0.rtp"] = FlowProgress(
                hasRTP: true, extendedHighestSequence: 9, timestamp: 10, lastArrival: TestNode.time(in: 5),
                packetRate: 50)
        }
        try client.send(.play)
        guard case .response(let response) = try await client.next() else {
            Issue.record("a packet came before the response")
            return
        }
        #expect(response.status.code == 200)
        for sequence in 7...9 {
            #expect(try await client.next() == .interleaved(channel: 2, payload: Self.packet(sequence)))
        }
        await node.stop()
    }

    @Test("F-03: what comes between the choice of the first packet and the response follows it and is announced")
    func held() async throws {
        let node = try await TestNode(streams: 1)
        let (client, other) = (try TestClient(node), try TestClient(node))
        for player in [client, other] {
            #expect(try await player.request(.setup, "/streamid=0", Self.channels(2)).status.code == 200)
        }
        #expect(try await other.request(.play).status.code == 200)
        node.routing.progresses["rtsp.cam.0.rtp"] = FlowProgress(
            hasRTP: true, extendedHighestSequence: 41, timestamp: 10, lastArrival: TestNode.time(in: 5),
            packetRate: 50)
        let socket = try LoopbackSocket(udpPort: 0)
        var hasCome: [RTSPMessage] = []
        // While the proxy asks how far the stream has come, two packets come; the latter of them is not known there.
        node.routing.onProgress = { name in
            guard name == "rtsp.cam.0.rtp", hasCome.isEmpty, let udpPort = try? Self.hostLeg(node) else { return }
            for sequence in 41...42 {
                try? socket.send(Self.packet(sequence), to: IPAddress(127, 0, 0, 1), udpPort: udpPort)
                if let message = try? await other.next() { hasCome.append(message) }
            }
        }
        let response = try await client.request(.play)
        #expect(hasCome == [41, 42].map { .interleaved(channel: 2, payload: Self.packet($0)) })
        #expect(response.headers["RTP-Info"] == "url=\(client.base)/streamid=0;seq=41;rtptime=10")
        for sequence in 41...42 {
            #expect(try await client.next() == .interleaved(channel: 2, payload: Self.packet(sequence)))
        }
        await node.stop()
    }

    @Test("R-27: what is interleaved ends with its connection, what is on UDP in the same session goes on")
    func connectionLost() async throws {
        let node = try await TestNode()
        var client: TestClient? = try TestClient(node)
        #expect(try await client?.request(.setup, "/streamid=0", Self.channels(0)).status.code == 200)
        #expect(
            try await client?.request(.setup, "/streamid=1", ["Transport": "RTP/AVP;unicast;client_port=6000"])
                .status.code == 200)
        #expect(try await client?.request(.play).status.code == 200)
        let all = await eventually { node.routing.openLegs.count == 4 }
        #expect(all)
        client = nil
        let rest = await eventually {
            node.routing.openLegs == ["rtsp.cam.1.rtcp 127.0.0.1:6001", "rtsp.cam.1.rtp 127.0.0.1:6000"]
        }
        #expect(rest && node.server.sessions.count == 1)
        await node.stop()
    }

    @Test("R-27: a session that was interleaved only has gone with its connection")
    func onlyInterleaved() async throws {
        let node = try await TestNode()
        var client: TestClient? = try TestClient(node)
        #expect(try await client?.request(.setup, "/streamid=0", Self.channels(0)).status.code == 200)
        #expect(try await client?.request(.play).status.code == 200)
        client = nil
        let isGone = await eventually { node.server.sessions.isEmpty && node.source()?.closed == 1 }
        #expect(isGone && node.routing.openLegs.isEmpty)
        await node.stop()
    }

    @Test("A session that ends from outside closes the connection that carried it")
    func closedFromOutside() async throws {
        let node = try await TestNode()
        let client = try TestClient(node)
        #expect(try await client.request(.setup, "/streamid=0", Self.channels(0)).status.code == 200)
        #expect(try await client.request(.play).status.code == 200)
        let name = try #require(node.server.reports().first?.name)
        #expect(await node.server.close(session: name))
        #expect(try await client.isClosed())
        await node.stop()
    }

    @Test(
        "R-48: a player that stops reading loses whole frames of its own, counted; others lose nothing; then it goes on"
    )
    func backPressure() async throws {
        let node = try await TestNode(streams: 1)
        let (reader, sleeper) = (try TestClient(node), try TestClient(node, receiveBuffer: 4096))
        for client in [reader, sleeper] {
            #expect(try await client.request(.setup, "/streamid=0", Self.channels(0)).status.code == 200)
            #expect(try await client.request(.play).status.code == 200)
        }
        let socket = try LoopbackSocket(udpPort: 0)
        let udpPort = try Self.hostLeg(node)
        var sequence = 0
        func send() async throws {
            let packet = Self.packet(sequence, length: 8000)
            try socket.send(packet, to: IPAddress(127, 0, 0, 1), udpPort: udpPort)
            #expect(try await reader.next() == .interleaved(channel: 0, payload: packet))
            sequence += 1
        }
        func dropped() -> UInt64 {
            node.server.sessions.values.flatMap { $0.deliveries.values }.map { $0.report.droppedPackets }.reduce(0, +)
        }
        while dropped() < 20, sequence < 20_000 { try await send() }
        #expect(dropped() >= 20)
        var received: [Int] = []
        func take(_ message: RTSPMessage?) {
            guard case .interleaved(0, let payload)? = message, payload.count == 8012 else {
                Issue.record("framing is lost")
                return
            }
            received.append(Int(payload[2]) << 8 | Int(payload[3]))
        }
        // What was queued comes whole; then packets come again.
        let expected = sequence - Int(dropped())
        while received.count < expected { take(try await sleeper.next()) }
        let resumed = sequence
        while dropped() < 1000, (received.last ?? 0) < resumed {
            try await send()
            if sequence - Int(dropped()) > received.count { take(try await sleeper.next()) }
        }
        #expect((received.last ?? 0) >= resumed && received == received.sorted())
        // Whole frames: what is missing at the beginning of the gap is the rest of a frame, and after it frames are whole.
        let missing = Set(0..<sequence).subtracting(received)
        let partial = Set(missing.map { $0 / 4 }).filter { frame in
            !(0..<4).allSatisfy { missing.contains(frame * 4 + $0) }
        }
        #expect(missing.count == Int(dropped()) && partial.count <= 1)
        #expect(try await sleeper.request(.teardown).status.code == 200)
        await node.stop()
    }

    @Test("A player that takes nothing at all any more is let go")
    func stalled() async throws {
        let node = try await TestNode(streams: 1)
        let sleeper = try TestClient(node, receiveBuffer: 4096)
        #expect(try await sleeper.request(.setup, "/streamid=0", Self.channels(0)).status.code == 200)
        #expect(try await sleeper.request(.play).status.code == 200)
        let connection = try #require(node.server.sessions.values.first?.carrier)
        for sequence in 0..<20_000 where connection.stalledSince == nil {
            connection.write(channel: 0, ByteBuffer(bytes: Self.packet(sequence, length: 8000)))
            connection.flush()
        }
        await node.server.tick(now: TestNode.time(in: 30))
        #expect(!connection.isClosed)
        await node.server.tick(now: TestNode.time(in: 61))
        let isGone = await eventually { node.server.sessions.isEmpty }
        #expect(isGone)
        await node.stop()
    }
}
