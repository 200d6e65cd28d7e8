// A TCP or TLS connection that SIP is spoken on.

import AgentSupport
import Logging
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
    /// True if the peer has connected, false if this node has.
    let isIncoming: Bool
    /// When it was made, and when it was last of use: something that came on it was carried out, or the node has sent a request on it. In
    /// nanoseconds of the monotonic clock.
    let since: UInt64
    var usedAt: UInt64?

    private unowned let transports: SIPTransports
    private var channel: (any Channel)?
    private var waiting: [[UInt8]] = []
    private var waitingBytes = 0
    private var decoder = SIPStreamDecoder()
    private var isClosed = false
    /// True if messages wait for the connection's next turn, and if it is not read from meanwhile.
    private var isBehind = false
    private var isPaused = false

    /// Messages that are taken before others have their turn.
    private static let messagesPerTurn = 16

    /// The number of bytes that may wait for a peer that does not read, before the connection is given up.
    private static let maximumWaiting = 1 << 20

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
        if !isBehind { takeTurn() }
    }

    /// Takes some of the messages that have come. The others wait until those of other connections have had their turn, and nothing more is
    /// read meanwhile.
    private func takeTurn() {
        isBehind = false
        var taken = 0
        do throws(SIPParseError) {
            while !isClosed {
                guard taken < Self.messagesPerTurn else { return fallBehind() }
                guard let element = try decoder.next() else { break }
                taken += 1
                switch element {
                case .message(let message):
                    transports.received(message, from: source)
                case .ping: send([0x0d, 0x0a])
                case .pong: break
                case .malformed(let error): transports.received(error, from: source)
                }
            }
        } catch {
            // Nobody knows where the next message begins.
            transports.received(error, from: source)
            close()
        }
        guard isPaused else { return }
        isPaused = false
        channel?.setOption(.autoRead, value: true).whenFailure { _ in }
    }

    private func fallBehind() {
        isBehind = true
        if !isPaused {
            isPaused = true
            channel?.setOption(.autoRead, value: false).whenFailure { _ in }
        }
        AgentActor.loop.execute {
            AgentActor.assumeIsolated { if !self.isClosed { self.takeTurn() } }
        }
    }

    /// The connection does not exist any more, or could not be made.
    func closed() {
        guard !isClosed else { return }
        isClosed = true
        transports.closed(self)
    }

    /// Logs why a connection of this node cannot be used; what fails with peers that connect is theirs.
    func failed(_ reason: String) {
        guard !isIncoming, !isClosed else { return }
        transports.logger.warning(
            "sip: \(transport) connection to \(peer.bracketed):\(transportPort): \(reason)")
    }

    func close() {
        channel?.close(promise: nil)
        closed()
    }
}
