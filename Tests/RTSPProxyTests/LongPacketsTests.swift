// Packets of sources on TCP that are longer than the host port takes.

import AgentSupport
import Logging
import NIOCore
import RTPWire
import RTSPCore
import Routing
import SDP
import Testing

@testable import RTSPProxy

@Suite("Packets that are longer than the host port takes", .timeLimit(.minutes(1))) @AgentActor
struct LongPacketsTests {
    private final class Sink: InterleavedSink {
        var packets: [[UInt8]] = []
        var isWritable: Bool { true }
        func write(channel: UInt8, _ packet: ByteBuffer) { packets.append(Array(packet.readableBytesView)) }
        func flush() {}
        var sequences: [UInt16] { packets.map { UInt16($0[2]) << 8 | UInt16($0[3]) } }
    }

    private let routing = EmulatedRoutes()
    private let context: ProxyContext
    private let sink = Sink()

    init() {
        let first = UInt16.random(in: 10_000...19_000) & ~1
        context = ProxyContext(
            configuration: RTSPConfiguration(udpPorts: first...first + 200), routing: routing,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func packet(_ sequence: UInt16, length: Int = 100) -> ByteBuffer {
        ByteBuffer(
            bytes: [0x80, 96, UInt8(sequence >> 8), UInt8(sequence & 0xff), 0, 0, 0, 1, 1, 2, 3, 4, 0x65]
                + [UInt8](repeating: 7, count: length - 13))
    }

    private func settled(_ what: Comment, _ condition: @AgentActor () async -> Bool) async throws {
        for _ in 0..<1000 {
            if await condition() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record(what)
    }

    /// A stream by TCP, and a player on TCP.
    private func stream(_ formats: [UInt8: FragmentablePayload]) async throws -> (IncomingStream, InterleavedFanOut) {
        let incoming = IncomingStream(
            context: context, path: "rtsp.cam", index: 0, clockRate: 90_000, formats: formats)
        try await incoming.receiveInterleaved()
        let stream = PresentationStream(
            index: 0, media: "video", control: "streamid=0", rtpRoute: incoming.rtpRoute,
            rtcpRoute: incoming.rtcpRoute, clockRate: 90_000)
        return (incoming, InterleavedFanOut(context: context, stream: stream))
    }

    private func player(of fanOut: InterleavedFanOut, _ incoming: IncomingStream) -> InterleavedDelivery {
        InterleavedDelivery(
            context: context,
            stream: PresentationStream(
                index: 0, media: "video", control: "streamid=0", rtpRoute: incoming.rtpRoute,
                rtcpRoute: incoming.rtcpRoute, clockRate: 90_000), fanOut: fanOut, rtpChannel: 0, rtcpChannel: 1,
            sink: sink)
    }

    @Test(
        "C-21: players on TCP get packets of up to 65,535 bytes, in their order and as they were; others get them in parts"
    )
    func direct() async throws {
        let (incoming, fanOut) = try await stream([96: .h264])
        let player = player(of: fanOut, incoming)
        try await player.prepare()
        await player.begin()
        let leg = try #require(try await routing.route(incoming.rtpRoute).legs.first).specification.udpPort
        let fastPath = try LoopbackSocket(udpPort: 0)
        func forward(_ sequence: UInt16) throws {
            try fastPath.send(
                Array(packet(sequence).readableBytesView), to: IPAddress(127, 0, 0, 1), udpPort: leg)
        }
        for sequence: UInt16 in 10...12 { incoming.inject(packet(sequence), isRTCP: false) }
        // The last one before the long one is still on its way through the host port.
        try forward(10)
        try forward(11)
        try await settled("two have come") { sink.sequences == [10, 11] }
        incoming.inject(packet(13, length: 30_000), isRTCP: false)
        incoming.inject(packet(14, length: 65_535), isRTCP: false)
        incoming.flush()
        try forward(12)
        try await settled("all have come, in order") { sink.sequences == [10, 11, 12, 13, 14] }
        #expect(sink.packets.map(\.count) == [100, 100, 100, 30_000, 65_535])
        #expect(sink.packets[3] == Array(packet(13, length: 30_000).readableBytesView))
        // What follows comes by the short way, and its copy from the fast path, under another number, does not.
        incoming.inject(packet(15), isRTCP: false)
        incoming.flush()
        try forward(200)
        try await settled("it has come") { sink.sequences.last == 15 }
        let parts = (30_000 - 13 + 1385) / 1386 + (65_535 - 13 + 1385) / 1386
        try await settled("the fast path has the parts") {
            await routing.progress(of: incoming.rtpRoute)?.packets == UInt64(4 + parts)
        }
        let progress = try #require(await routing.progress(of: incoming.rtpRoute))
        #expect(progress.expected == progress.received)
        #expect(progress.extendedHighestSequence == UInt64(15 + parts - 2))
        // The source is told of its own numbers.
        #expect(await incoming.progress()?.extendedHighestSequence == 15)
        #expect(sink.sequences == [10, 11, 12, 13, 14, 15])
        #expect(context.directWay(of: incoming.rtpRoute).misfit == nil)
        await player.end()
        await incoming.remove()
    }

    @Test(
        "C-21: the packet before the first long one may have been lost; a player that comes later gets the long ones too"
    )
    func lost() async throws {
        let (incoming, fanOut) = try await stream([96: .h265])
        let player = player(of: fanOut, incoming)
        try await player.prepare()
        await player.begin()
        incoming.inject(packet(1), isRTCP: false)
        incoming.inject(packet(2, length: 20_000), isRTCP: false)
        incoming.flush()
        try await settled("the long one comes all the same") { sink.sequences == [2] }
        await player.end()
        let later = self.player(of: fanOut, incoming)
        try await later.prepare()
        await later.begin()
        incoming.inject(packet(3, length: 20_000), isRTCP: false)
        incoming.flush()
        #expect(sink.sequences == [2, 3])
        await later.end()
        // Another source begins by the host port.
        await incoming.remove()
        try await incoming.receiveInterleaved()
        #expect(!context.directWay(of: incoming.rtpRoute).isUsed)
        await incoming.remove()
    }

    @Test("C-21: a stream whose long packets cannot be split is refused by UDP with 461, and taken interleaved")
    func refused() async throws {
        let node = try await TestNode()
        let way = node.context.directWay(of: "rtsp.cam.0.rtp")
        #expect(way.pass(packet(1, length: 9000)).isEmpty)
        let client = try TestClient(node)
        let refusal = try await client.request(.setup, "/streamid=0", ["Transport": PlayerTests.udp])
        #expect(refusal.status.code == 461)
        #expect(
            try await client.request(.setup, "/streamid=0", InterleavedTests.channels(0)).status.code == 200)
        // The other stream is not concerned.
        let other = try TestClient(node)
        #expect(try await other.request(.setup, "/streamid=1", ["Transport": PlayerTests.udp]).status.code == 200)
        await node.stop()
    }

    @Test("The formats of a description whose packets may be split")
    func formats() throws {
        let text =
            "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96 97 98\r\na=rtpmap:96 H264/90000\r\n"
            + "a=rtpmap:97 H265/90000\r\na=rtpmap:98 JPEG/90000\r\n"
        let description = try SessionDescription(parsing: Array(text.utf8))
        #expect(description.media[0].fragmentableFormats == [96: .h264, 97: .h265])
    }
}
