// One connection of a player or publisher: the machine of RTSPCore on a channel.

import AgentSupport
import NIOCore
import RTPWire
import RTSPCore
import Timing

/// The answer to a request, and the actions that follow when the answer is on its way.
struct Reply {
    var response: RTSPResponse
    /// When the packets were chosen that the response announces (CLOCK_MONOTONIC, nanoseconds): how long it then takes to be on its way is
    /// noted for the next ones.
    var chosenAt: UInt64?
    /// Begins to send media (F-09: never before the response). Always called, also when the connection has gone.
    var afterwards: (@AgentActor () async -> Void)?

    init(
        _ response: RTSPResponse, chosenAt: UInt64? = nil, afterwards: (@AgentActor () async -> Void)? = nil
    ) {
        self.response = response
        self.chosenAt = chosenAt
        self.afterwards = afterwards
    }
}

/// Carries out what `ServerConnection` decides, and carries interleaved packets.
@AgentActor
final class ClientConnection: InterleavedSink {
    /// The use of an interleaved channel.
    struct ChannelUse {
        weak var session: ProxySession?
        var stream: Int
        var isRTCP: Bool
    }

    let peer: IPAddress
    let peerTCPPort: UInt16
    /// The address of the node that the peer connected to.
    let local: IPAddress
    let isSecure: Bool
    private let channel: any Channel
    /// Kept as long as the connection is open.
    private let server: RTSPServer
    private var core: ServerConnection
    private var isReading = true
    private var part = TunnelPart.undecided(TunnelOpening())
    /// The connection that brings the requests of this one.
    private weak var feeder: ClientConnection?
    /// True if the next turn of its requests is scheduled.
    private var isWaiting = false
    /// The number of bytes that it holds of its source's share of memory.
    private var receivedBytes = 0
    private var sentBytes = 0
    /// True if it may queue no more packets, since its source has its share of memory.
    private var isOverShare = false
    private var carriesMedia = false
    /// The sessions that it began and that are not over.
    var begunSessions = 0
    private(set) var isClosed = false
    /// The interleaved channels that are in use.
    var channels: [UInt8: ChannelUse] = [:]
    /// The session that ANNOUNCE began here: a SETUP without Session belongs to it.
    weak var announced: ProxySession?
    /// When the last whole request came (CLOCK_MONOTONIC, nanoseconds).
    private(set) var lastRequest: UInt64
    /// Since when the peer takes nothing more.
    private(set) var stalledSince: UInt64?
    /// Publishers that got packets since the last flush.
    private var fed: [PublisherSource] = []

    init?(channel: any Channel, server: RTSPServer, isSecure: Bool) {
        guard let remote = channel.remoteAddress, let peer = IPAddress(remote),
            let local = channel.localAddress.flatMap({ IPAddress($0) })
        else { return nil }
        self.peer = peer
        peerTCPPort = UInt16(truncatingIfNeeded: remote.port ?? 0)
        self.local = local
        self.isSecure = isSecure
        self.channel = channel
        self.server = server
        core = ServerConnection(name: RTSPServer.name, methods: RTSPServer.methods)
        lastRequest = MonotonicClock.now
    }

    var peerText: String { "\(peer.bracketed):\(peerTCPPort)" }

    // MARK: What the channel says

    func receive(_ bytes: ByteBuffer) {
        switch part {
        case .none: receive(own: bytes.readableBytesView)
        case .undecided(var opening):
            let verdict = opening.receive(bytes.readableBytesView)
            part = .undecided(opening)
            decide(verdict)
        case .requests(var decoder, let key):
            let decoded = decoder.decode(bytes.readableBytesView)
            part = .requests(decoder, to: key)
            guard let decoded, let target = server.tunnels[key] else { return close() }
            target.receive(own: decoded)
        // Nothing more comes on a GET.
        case .answers, .refused: break
        }
    }

    private func receive(own bytes: some Collection<UInt8>) {
        perform(core.receive(bytes))
        endTurn()
    }

    // MARK: RTSP within HTTP

    private func decide(_ verdict: TunnelOpening.Verdict) {
        switch verdict {
        case .undecided: accountForMemory()
        case .other(let bytes):
            part = .none
            receive(own: bytes)
        case .tunnel(let end, let rest):
            let key = Tunnels.Key(peer: peer, isSecure: isSecure, cookie: end.cookie)
            switch end.kind {
            case .get:
                guard server.tunnels.open(key, self) else { return refuseTunnel("its cookie is in use") }
                part = .answers(key)
                channel.writeAndFlush(ByteBuffer(bytes: TunnelOpening.accepted), promise: nil)
            case .post:
                guard let target = server.tunnels[key] else { return refuseTunnel("no GET has its cookie") }
                // A client begins with another POST when its last one is used up.
                target.feeder?.close()
                target.feeder = self
                part = .requests(TunnelDecoder(), to: key)
                receive(ByteBuffer(bytes: rest))
            }
        }
    }

    private func refuseTunnel(_ reason: String) {
        part = .refused
        server.logRefusal(self, "closed: a tunnel in HTTP, but \(reason)")
        channel.writeAndFlush(ByteBuffer(bytes: TunnelOpening.refused), promise: nil)
        closeWhenSent()
    }

    /// True if it only brings the requests of another connection, which is used as long as that one is.
    var isFeeding: Bool { if case .requests = part { true } else { false } }

    private func leaveTunnel() {
        if case .answers(let key) = part { server.tunnels.close(key) }
        feeder?.close()
        part = .refused
    }

    /// After a turn: interleaved packets that came are passed on, and the rest waits for the turns of others.
    private func endTurn() {
        for source in fed { source.flush() }
        fed = []
        guard !isClosed else { return }
        let delay = server.context.shares.delay(after: core.takeCount(), from: peer, now: MonotonicClock.now)
        if delay > 0 { core.suspend() }
        if core.isSuspended, !isWaiting {
            isWaiting = true
            let wait = max(Self.turn, TimeAmount.nanoseconds(Int64(clamping: delay)))
            AgentActor.loop.scheduleTask(in: wait) { [weak self] in
                AgentActor.assumeIsolated { self?.nextTurn() }
            }
        }
        accountForMemory()
        updateReading()
    }

    private func nextTurn() {
        isWaiting = false
        guard !isClosed else { return }
        perform(core.resume())
        endTurn()
    }

    /// The time that others have before a connection continues that sends more than a turn takes.
    private static let turn = TimeAmount.milliseconds(1)

    /// Notes what is kept of the peer's bytes; a connection that wants more than its source may have is closed.
    private func accountForMemory() {
        var stored = isClosed ? 0 : core.storedBytes
        if case .undecided(let opening) = part { stored += opening.storedBytes }
        let bytes = stored > SourceShares.freeBytes ? stored : 0
        if server.context.shares.change(\.received, of: peer, from: receivedBytes, to: bytes) {
            receivedBytes = bytes
        } else {
            server.context.counters.add(to: .refusedConnections, ["reason": "memory"])
            server.logRefusal(self, "closed: unfinished requests of its source are as much as may be kept")
            close()
        }
    }

    func writabilityChanged() {
        stalledSince = channel.isWritable ? nil : MonotonicClock.now
        updateReading()
    }

    func closed() {
        guard !isClosed else { return }
        isClosed = true
        leaveTunnel()
        accountForMemory()
        noteSentBytes(0)
        server.closed(self)
    }

    /// Nothing is read from a peer that takes no answers, or has sent more requests than are read ahead.
    private func updateReading() {
        let mayRead = channel.isWritable && !core.isFull
        guard mayRead != isReading else { return }
        isReading = mayRead
        channel.setOption(.autoRead, value: mayRead).whenFailure { _ in }
        feeder?.channel.setOption(.autoRead, value: mayRead).whenFailure { _ in }
    }

    // MARK: Requests

    private func perform(_ actions: [ServerConnection.Action]) {
        for action in actions {
            switch action {
            case .send(let bytes): channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
            case .serve(let request):
                lastRequest = MonotonicClock.now
                Task { @AgentActor in await self.serve(request) }
            case .interleaved(let number, let payload): take(ByteBuffer(bytes: payload), on: number)
            case .answered: lastRequest = MonotonicClock.now
            case .close(let reason):
                server.logRefusal(self, "closed: \(reason)")
                closeWhenSent()
            }
        }
    }

    private func serve(_ request: RTSPRequest) async {
        let reply = await server.serve(request, on: self)
        if !isClosed {
            perform(core.respond(reply.response))
            endTurn()
            if let chosenAt = reply.chosenAt { noteWriting(since: chosenAt) }
        }
        await reply.afterwards?()
        // A session that it set up on a connection that closed meanwhile has nobody.
        if isClosed { server.closed(self) }
    }

    /// True if a request of it is being served: it is not idle then, however long that takes.
    var isServing: Bool { core.isServing }

    /// Notes how long it takes until the kernel has what was written last.
    private func noteWriting(since chosenAt: UInt64) {
        let delay = server.context.openingDelay
        channel.writeAndFlush(ByteBuffer()).whenSuccess {
            let now = MonotonicClock.now
            Task { @AgentActor in delay.note(now.subtractingSaturating(chosenAt)) }
        }
    }

    private func closeWhenSent() {
        channel.writeAndFlush(ByteBuffer()).whenComplete { [channel] _ in channel.close(promise: nil) }
    }

    /// Closes at once: the session that it carried has ended, or the peer does nothing.
    func close() { channel.close(promise: nil) }

    // MARK: Interleaved packets

    private func take(_ packet: ByteBuffer, on number: UInt8) {
        // Packets of channels that nobody set up are not ours to judge.
        guard let use = channels[number], let session = use.session, !session.isEnded else { return }
        session.core.noteMedia(now: MonotonicClock.now)
        guard let publisher = session.publisher, session.core.streams[use.stream]?.isRunning == true else { return }
        publisher.take(packet, stream: use.stream, isRTCP: use.isRTCP)
        if !fed.contains(where: { $0 === publisher }) { fed.append(publisher) }
    }

    var isWritable: Bool { !isClosed && !isOverShare && channel.isWritable }

    /// Packets of a stream will be sent on it: more may wait to be sent than answers to requests.
    func carryMedia() {
        guard !carriesMedia else { return }
        carriesMedia = true
        channel.setOption(.writeBufferWaterMark, value: Self.mediaBuffer).whenFailure { _ in }
    }

    /// The number of bytes that wait to be sent to one peer before nothing more is read from it; and before its packets
    /// are dropped: a large frame of video, and room for the next.
    static let answerBuffer = ChannelOptions.Types.WriteBufferWaterMark(low: 32 << 10, high: 64 << 10)
    private static let mediaBuffer = ChannelOptions.Types.WriteBufferWaterMark(low: 1 << 20, high: 2 << 20)
    /// A packet up to this length is copied into one piece with its frame's header: two pieces would take more memory.
    private static let copiedLength = 512
    /// The number of bytes that a queue grows by before it is counted again.
    private static let countedBytes = 64 << 10

    /// Notes how much the peer has not taken yet.
    private func noteSentBytes(_ pending: Int) {
        let bytes = pending / Self.countedBytes * Self.countedBytes
        guard bytes != sentBytes || isOverShare else { return }
        isOverShare = !server.context.shares.change(\.sent, of: peer, from: sentBytes, to: bytes)
        if !isOverShare { sentBytes = bytes }
    }

    func write(channel number: UInt8, _ packet: ByteBuffer) {
        guard let length = UInt16(exactly: packet.readableBytes), !isClosed else { return }
        // Over TLS a write is a record: one for both parts. Otherwise a long packet is not copied for each of its players.
        let isCopied = isSecure || packet.readableBytes <= Self.copiedLength
        var frame = channel.allocator.buffer(capacity: isCopied ? 4 + packet.readableBytes : 4)
        frame.writeInteger(UInt8(ascii: "$"))
        frame.writeInteger(number)
        frame.writeInteger(length)
        if isCopied { frame.writeImmutableBuffer(packet) }
        channel.write(frame, promise: nil)
        if !isCopied { channel.write(packet, promise: nil) }
    }

    func flush() {
        channel.flush()
        noteSentBytes((try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0)
    }
}
