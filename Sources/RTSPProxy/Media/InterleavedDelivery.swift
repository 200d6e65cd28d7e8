// A player on TCP: packets come to the daemon at the host port and leave on the player's connection.

import AgentSupport
import NIOCore
import RTPWire
import Routing
import Sessions

/// The connection of an interleaved player, as its deliveries see it.
@AgentActor
protocol InterleavedSink: AnyObject {
    /// True if the connection takes more without queueing beyond its bound.
    var isWritable: Bool { get }
    /// Queues one packet on a channel (RFC 2326 section 10.12).
    func write(channel: UInt8, _ packet: ByteBuffer)
    /// Sends what was queued.
    func flush()
}

/// Copies of a stream to one player's interleaved channels.
///
/// A connection that does not keep up loses whole frames of its own (all packets of one RTP timestamp), which are counted,
/// and nobody else loses anything.
@AgentActor
final class InterleavedDelivery: StreamDelivery {
    private let context: ProxyContext
    private let stream: PresentationStream
    private let fanOut: InterleavedFanOut
    private let rtpChannel: UInt8
    private let rtcpChannel: UInt8
    private weak var sink: (any InterleavedSink)?
    private var isAttached = false
    private var isSending = false
    /// True if the first packet that comes is the first of the player.
    private var isExpecting = false
    /// The announced packet, until it has come.
    private var first: UInt16?
    /// The packets that came between the choice of the first packet and the response, which must come before them; nil
    /// at other times.
    private var held: [(packet: ByteBuffer, sequence: UInt16, timestamp: UInt32)]?
    /// More than this is lost, from the end.
    private static let mostHeld = 4096
    /// The timestamp of the frame whose rest is dropped.
    private var droppedTimestamp: UInt32?
    private(set) var droppedPackets: UInt64 = 0
    private(set) var droppedFrames: UInt64 = 0

    init(
        context: ProxyContext, stream: PresentationStream, fanOut: InterleavedFanOut, rtpChannel: UInt8,
        rtcpChannel: UInt8, sink: any InterleavedSink
    ) {
        self.context = context
        self.stream = stream
        self.fanOut = fanOut
        self.rtpChannel = rtpChannel
        self.rtcpChannel = rtcpChannel
        self.sink = sink
    }

    func prepare() async throws(RoutingError) {
        guard !isAttached else { return }
        isAttached = true
        do throws(RoutingError) {
            try await fanOut.attach(self)
        } catch {
            isAttached = false
            throw error
        }
    }

    func expect() async throws(RoutingError) {
        guard isAttached, !isSending else { return }
        held = []
        isExpecting = true
    }

    func start() async -> StreamStart? {
        guard isAttached, !isSending, !isExpecting else { return nil }
        held = held ?? []
        var start = StreamStart(next: await context.routing.progress(of: stream.rtpRoute), at: MonotonicClock.now)
        if let last = fanOut.directSequence { start?.sequence = last &+ 1 }
        // A packet that has come meanwhile is known better than one that will come.
        if let next = held?.first?.sequence { start?.sequence = next }
        first = start?.sequence
        return start
    }

    func begin() async {
        isSending = isAttached
        isExpecting = false
        let waiting = held ?? []
        held = nil
        for (packet, sequence, timestamp) in waiting { take(rtp: packet, sequence: sequence, timestamp: timestamp) }
        if !waiting.isEmpty { flush() }
    }

    func end() async {
        (isSending, isExpecting) = (false, false)
        (first, held) = (nil, nil)
        guard isAttached else { return }
        isAttached = false
        await fanOut.detach(self)
    }

    /// Takes one RTP packet of the stream.
    func take(rtp packet: ByteBuffer, sequence: UInt16, timestamp: UInt32) {
        if let count = held?.count {
            if count < Self.mostHeld { held?.append((packet, sequence, timestamp)) }
            return
        }
        guard isSending, let sink else { return }
        if let first {
            // Until the announced packet has come: comparison modulo 2^16 would hold others back after half a wrap.
            guard Int16(bitPattern: sequence &- first) >= 0 else { return }
            self.first = nil
        }
        if droppedTimestamp == timestamp { return drop(isFirst: false) }
        guard sink.isWritable else {
            droppedTimestamp = timestamp
            return drop(isFirst: true)
        }
        droppedTimestamp = nil
        sink.write(channel: rtpChannel, packet)
    }

    /// Takes one RTCP packet of the stream.
    func take(rtcp packet: ByteBuffer) {
        guard isSending, let sink, sink.isWritable else { return }
        sink.write(channel: rtcpChannel, packet)
    }

    func flush() {
        if isSending { sink?.flush() }
    }

    private func drop(isFirst: Bool) {
        droppedPackets += 1
        context.counters.add(to: .droppedPackets)
        guard isFirst else { return }
        droppedFrames += 1
        context.counters.add(to: .droppedFrames)
    }

    var report: SessionReport.Stream {
        SessionReport.Stream(
            index: stream.index, media: stream.media, transport: "interleaved",
            address: "channels \(rtpChannel)-\(rtcpChannel)", route: stream.rtpRoute, leg: fanOut.rtpLeg,
            rtcpRoute: stream.rtcpRoute, rtcpLeg: fanOut.rtcpLeg, engine: "daemon",
            engineReason: "a TCP player is served by the daemon, from one leg at the host port",
            droppedPackets: droppedPackets)
    }

    var record: SessionRecord.Delivery? { nil }
}
