// A publisher (ANNOUNCE and RECORD) as the source of a path.

import AgentSupport
import NIOCore
import RTPWire
import RTSPCore
import Routing
import SDP
import Sessions

/// The streams that a publisher announced, each on its way into the fast path.
@AgentActor
final class PublisherSource: MediaSource {
    var onEnd: (@AgentActor (MediaSourceError) -> Void)?

    private let context: ProxyContext
    private let description: SessionDescription
    /// The URL that the publisher's control URLs are relative to.
    private let base: RTSPURL
    private let incoming: [IncomingStream]
    private var reporters: [SourceReporter]
    private let peer: String
    private var isClosed = false

    init(context: ProxyContext, path: Path, description: SessionDescription, base: RTSPURL, peer: String) {
        self.context = context
        self.description = description
        self.base = base
        self.peer = peer
        incoming = description.media.enumerated().map {
            IncomingStream(
                context: context, path: path.routeName, index: $0, clockRate: $1.clockRate,
                formats: $1.fragmentableFormats)
        }
        reporters = incoming.map { _ in SourceReporter() }
        for (index, stream) in incoming.enumerated() {
            stream.onRTCP = { [weak self] packet, arrival in
                self?.reporters[index].receive(Array(packet.readableBytesView), at: arrival)
            }
        }
    }

    /// The number of streams that were announced.
    var streamCount: Int { incoming.count }

    /// The target that a URL of the publisher names: a stream by the control that it announced itself, or all of them.
    func target(_ uri: String) throws(RTSPRefusal) -> RequestTarget {
        guard let url = RTSPURL(uri)?.withoutCredentials else {
            throw RTSPRefusal(.badRequest, "the request's URI is no RTSP URL")
        }
        let controls = description.media.map { $0.attribute("control") ?? "*" }
        let stream =
            controls.firstIndex { $0 != "*" && base.resolving(control: $0)?.description == url.description }
            ?? url.splittingControl { controls.contains($0) }.flatMap { controls.firstIndex(of: $0.control) }
            ?? (controls == ["*"] ? 0 : nil)
        if stream == nil, url.routingPath != base.routingPath {
            throw RTSPRefusal(.notFound, "\(url.path) is not what was announced")
        }
        return RequestTarget(url: url, presentation: base, stream: stream)
    }

    /// Reserves the UDP ports that the publisher sends stream `index` to, and returns the even one.
    func receiveUnicast(
        _ index: Int, at local: NetworkAttachment, from peer: IPAddress, rtpUDPPort: UInt16, rtcpUDPPort: UInt16
    ) async throws(RoutingError) -> UInt16 {
        let udpPort = try await incoming[index].receiveUnicast(at: local, from: peer)
        try await incoming[index].setSource(peer, rtpUDPPort: rtpUDPPort, rtcpUDPPort: rtcpUDPPort)
        return udpPort
    }

    /// Goes on to receive at the UDP ports that an earlier daemon reserved for stream `index`.
    func readopt(
        _ index: Int, from peer: IPAddress, rtpUDPPort: UInt16, rtcpUDPPort: UInt16
    ) async throws(RoutingError) {
        let source = try await context.routing.route(incoming[index].rtpRoute).specification.source
        let local = try await context.routing.attachment(of: source.address)
        let udpPort = try await receiveUnicast(
            index, at: local, from: peer, rtpUDPPort: rtpUDPPort, rtcpUDPPort: rtcpUDPPort)
        guard udpPort == source.udpPort else {
            throw RoutingError(
                .unavailable, "stream \(index): the publisher sends to UDP port \(source.udpPort), which is taken")
        }
    }

    /// The legs that the daemon itself has on the streams' routes.
    var ownLegs: [(route: String, leg: UInt32)] {
        incoming.compactMap { stream in stream.rtcpListenerLeg.map { (stream.rtcpRoute, $0) } }
    }

    /// The record for a restarted daemon.
    var record: PublisherRecord {
        PublisherRecord(description: description.bytes, base: base.description, peer: peer)
    }

    func receiveInterleaved(_ index: Int) async throws(RoutingError) { try await incoming[index].receiveInterleaved() }

    /// Takes a packet of the publisher's connection; `flush` follows.
    func take(_ packet: ByteBuffer, stream: Int, isRTCP: Bool) { incoming[stream].inject(packet, isRTCP: isRTCP) }

    func flush() { for stream in incoming { stream.flush() } }

    /// The receiver report on stream `index`, when one is due: for `send`, or for the publisher's connection.
    func report(_ index: Int, at now: UInt64) async -> ByteBuffer? {
        let progress = await incoming[index].progress()
        var generator = SystemRandomNumberGenerator()
        return reporters[index].report(
            progress, clockRate: description.media[index].clockRate, at: now, using: &generator
        ).map { ByteBuffer(bytes: $0) }
    }

    /// The last report on stream `index`, with a BYE.
    func farewell(_ index: Int, at now: UInt64) async -> ByteBuffer? {
        let progress = await incoming[index].progress()
        return reporters[index].farewell(progress, clockRate: description.media[index].clockRate, at: now)
            .map { ByteBuffer(bytes: $0) }
    }

    /// Sends RTCP to a publisher on UDP.
    func send(_ packet: ByteBuffer, stream index: Int) { incoming[index].sendRTCP(packet) }

    /// The time of the last packet of any stream (CLOCK_MONOTONIC, nanoseconds); nil before the first.
    func lastArrival() async -> UInt64? {
        var last: UInt64?
        for stream in incoming {
            if let progress = await stream.progress(), progress.packets > 0 {
                last = max(last ?? 0, progress.lastArrival)
            }
        }
        return last
    }

    /// The number of packets that came, of all streams.
    func receivedPackets() async -> UInt64 {
        var packets: UInt64 = 0
        for stream in incoming { packets += await stream.progress()?.packets ?? 0 }
        return packets
    }

    /// The presentation that players see of it.
    var presentation: Presentation {
        Presentation(
            description: description,
            streams: description.media.enumerated().map { index, media in
                PresentationStream(
                    index: index, media: media.kind, control: StreamControl.name(index),
                    rtpRoute: incoming[index].rtpRoute, rtcpRoute: incoming[index].rtcpRoute,
                    clockRate: media.clockRate)
            })
    }

    func open() async throws(MediaSourceError) -> Presentation {
        guard !isClosed else { throw MediaSourceError(.notFound, "the publisher \(peer) has gone") }
        return presentation
    }

    func close() async {
        guard !isClosed else { return }
        isClosed = true
        for stream in incoming { await stream.remove() }
    }

    /// Tells the path that the publisher has gone, and takes the routes away.
    func end(reason: String) async {
        onEnd?(MediaSourceError(.notFound, "the publisher \(peer) has gone: \(reason)"))
        onEnd = nil
        await close()
    }

    func report() -> [String] { ["published by \(peer)"] }

    /// The reports for an operator on the streams that were set up.
    func streamReports(_ streams: [Int: ServerSession.Stream]) -> [SessionReport.Stream] {
        streams.sorted { $0.key < $1.key }.map { index, stream in
            let (transport, address, engine, reason) =
                switch stream.transport {
                case .udp(let address, let udpPort, _):
                    ("udp", "\(address.bracketed):\(udpPort)", "kernel", "a UDP publisher is a flow")
                case .interleaved(let rtp, let rtcp):
                    ("interleaved", "channels \(rtp)-\(rtcp)", "daemon", "a TCP publisher is injected at the host port")
                case .multicast(let group, let udpPort, _):
                    ("multicast", "\(group.bracketed):\(udpPort)", "kernel", "a group is a flow")
                }
            return SessionReport.Stream(
                index: index, media: description.media[index].kind, transport: transport, address: address,
                route: incoming[index].rtpRoute, rtcpRoute: incoming[index].rtcpRoute, engine: engine,
                engineReason: reason)
        }
    }
}
