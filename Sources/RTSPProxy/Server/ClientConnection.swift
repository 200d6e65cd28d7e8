// One connection of a player or publisher: the machine of RTSPCore on a channel.

import AgentSupport
import NIOCore
import RTPWire
import RTSPCore

/// What answers a request, and what follows when the answer is on its way.
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
    /// What an interleaved channel carries.
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
        perform(core.receive(bytes.readableBytesView))
        for source in fed { source.flush() }
        fed = []
        updateReading()
    }

    func writabilityChanged() {
        stalledSince = channel.isWritable ? nil : MonotonicClock.now
        updateReading()
    }

    func closed() {
        guard !isClosed else { return }
        isClosed = true
        server.closed(self)
    }

    /// Nothing is read from a peer that takes no answers, or has sent more requests than are read ahead.
    private func updateReading() {
        let mayRead = channel.isWritable && !core.isFull
        guard mayRead != isReading else { return }
        isReading = mayRead
        channel.setOption(.autoRead, value: mayRead).whenFailure { _ in }
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
                server.log(self, "closed: \(reason)")
                closeWhenSent()
            }
        }
    }

    private func serve(_ request: RTSPRequest) async {
        let reply = await server.serve(request, on: self)
        if !isClosed {
            perform(core.respond(reply.response))
            if let chosenAt = reply.chosenAt { noteWriting(since: chosenAt) }
        }
        await reply.afterwards?()
        // What it set up on a connection that closed meanwhile has nobody.
        if isClosed { server.closed(self) } else { updateReading() }
    }

    /// Notes how long it takes until the kernel has what was written last.
    private func noteWriting(since chosenAt: UInt64) {
        let delay = server.context.openingDelay
        channel.writeAndFlush(ByteBuffer()).whenSuccess {
            let now = MonotonicClock.now
            Task { @AgentActor in delay.note(now - min(chosenAt, now)) }
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

    var isWritable: Bool { !isClosed && channel.isWritable }

    func write(channel number: UInt8, _ packet: ByteBuffer) {
        guard let length = UInt16(exactly: packet.readableBytes), !isClosed else { return }
        // Over TLS a write is a record: one for both parts. Otherwise the packet is not copied for each of its players.
        var frame = channel.allocator.buffer(capacity: isSecure ? 4 + packet.readableBytes : 4)
        frame.writeInteger(UInt8(ascii: "$"))
        frame.writeInteger(number)
        frame.writeInteger(length)
        if isSecure { frame.writeImmutableBuffer(packet) }
        channel.write(frame, promise: nil)
        if !isSecure { channel.write(packet, promise: nil) }
    }

    func flush() { channel.flush() }
}
