// A TCP or TLS connection that SIP is spoken on.

import AgentSupport
import NIOCore
import RTPWire
import SIPCore

/// Cuts what comes into messages, and sends what is asked for, once the connection is there.
@AgentActor
final class StreamConnection {
    let id: UInt64
    let transport: SIPTransport
    let peer: IPAddress
    let transportPort: UInt16
    /// The node's address on it, and where the node listens for the transport.
    private(set) var localAddress: IPAddress
    let localPort: UInt16
    /// The name that the peer's certificate was checked for; nil where the peer has connected.
    let name: String?
    /// Whether the peer has connected, or this node.
    let isIncoming: Bool
    /// When it was made, and whether a message has come since: one that never says anything is closed.
    let since: UInt64
    private(set) var hasSpoken = false
    /// When the last message came or went (nanoseconds of the monotonic clock).
    private(set) var lastMessage: UInt64

    private unowned let transports: SIPTransports
    private var channel: (any Channel)?
    private var waiting: [[UInt8]] = []
    private var waitingBytes = 0
    private var decoder = SIPStreamDecoder()
    private var isClosed = false

    /// What waits for a peer that does not read, before the connection is given up.
    private static let maximumWaiting = 1 << 20
    /// The messages that are taken in one turn of the loop: others have theirs in between.
    private static let messagesInATurn = 8
    private var isTaking = false

    init(
        id: UInt64, transports: SIPTransports, transport: SIPTransport, peer: IPAddress, transportPort: UInt16,
        localAddress: IPAddress, localPort: UInt16, name: String?, channel: (any Channel)?,
        isIncoming: Bool
    ) {
        self.id = id
        self.transports = transports
        self.transport = transport
        self.peer = peer
        self.transportPort = transportPort
        self.localAddress = localAddress
        self.localPort = localPort
        self.name = name
        self.channel = channel
        self.isIncoming = isIncoming
        since = MonotonicClock.now
        lastMessage = since
    }

    private var source: SIPSource {
        SIPSource(
            transport: transport, address: peer, transportPort: transportPort, localAddress: localAddress,
            localPort: localPort, connection: id)
    }

    /// The connection that was asked for is there; over TLS, what is sent waits until it is secure.
    func connected(_ channel: any Channel) {
        guard !isClosed else { return channel.close(promise: nil) }
        self.channel = channel
        if let address = channel.localAddress.flatMap({ IPAddress($0) }) { localAddress = address }
        for bytes in waiting { channel.write(ByteBuffer(bytes: bytes), promise: nil) }
        waiting = []
        waitingBytes = 0
        channel.flush()
    }

    /// Sends now, or when the connection is there.
    func send(_ bytes: [UInt8]) {
        if bytes.count > 4 { lastMessage = MonotonicClock.now }
        guard let channel else {
            waiting.append(bytes)
            waitingBytes += bytes.count
            if waitingBytes > Self.maximumWaiting { close() }
            return
        }
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
        if !channel.isWritable { close() }
    }

    func receive(_ bytes: ByteBuffer) {
        decoder.append(bytes.readableBytesView)
        if !isTaking { take() }
    }

    /// Takes some of the messages that have come; the rest in the next turn of the loop, until when nothing more is read.
    private func take() {
        isTaking = false
        do throws(SIPParseError) {
            for _ in 0..<Self.messagesInATurn {
                guard !isClosed, let element = try decoder.next() else {
                    return read(true)
                }
                switch element {
                case .message(let message):
                    hasSpoken = true
                    lastMessage = MonotonicClock.now
                    transports.received(message, from: source)
                case .ping: send([0x0d, 0x0a])
                case .pong: break
                case .malformed(let error): transports.received(error, raw: [], from: source)
                }
            }
        } catch {
            // Nobody knows where the next message begins.
            transports.received(error, raw: [], from: source)
            return close()
        }
        isTaking = true
        read(false)
        AgentActor.loop.execute { AgentActor.assumeIsolated { self.take() } }
    }

    private var isReading = true

    private func read(_ isReading: Bool) {
        guard isReading != self.isReading else { return }
        self.isReading = isReading
        channel?.setOption(.autoRead, value: isReading).whenFailure { _ in }
    }

    /// The connection is no more, or could not be made.
    func closed() {
        guard !isClosed else { return }
        isClosed = true
        transports.closed(self)
    }

    func close() {
        channel?.close(promise: nil)
        closed()
    }
}
