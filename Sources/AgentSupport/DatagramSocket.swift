// A UDP socket of an agent, on the agents' event loop.

public import NIOCore
import NIOPosix
public import RTPWire

/// Sends and receives datagrams: signalling, RTCP, and media at the host port.
@AgentActor
public final class DatagramSocket {
    /// One datagram as it came.
    public typealias Receiver = @AgentActor (_ payload: ByteBuffer, _ from: SocketAddress) -> Void

    private let channel: any Channel

    /// The UDP port at which it is bound.
    public let udpPort: UInt16

    /// A socket bound to an address and UDP port, 0 for any.
    ///
    /// - Parameters:
    ///   - traffic: The traffic that it receives.
    ///   - receive: Called for each datagram.
    ///   - onBatch: Called when no more datagrams are waiting for the moment: time to flush what they caused.
    public convenience init(
        address: IPAddress, udpPort: UInt16 = 0, traffic: Traffic = .reports, receive: @escaping Receiver,
        onBatch: @escaping @AgentActor () -> Void = {}
    ) async throws {
        let channel = try await Self.bootstrap(traffic, receive, onBatch).bind(to: address.socketAddress(udpPort)).get()
        self.init(channel: channel)
    }

    /// A socket over a bound descriptor, which it closes.
    public convenience init(
        descriptor: Int32, receive: @escaping Receiver, onBatch: @escaping @AgentActor () -> Void = {}
    ) async throws {
        let channel = try await Self.bootstrap(.reports, receive, onBatch).withBoundSocket(descriptor).get()
        self.init(channel: channel)
    }

    private init(channel: any Channel) {
        self.channel = channel
        udpPort = UInt16(truncatingIfNeeded: channel.localAddress?.port ?? 0)
    }

    deinit { channel.close(promise: nil) }

    /// A burst of a video frame must fit while the loop is busy with something else.
    private static let receiveBuffer = 8 << 20
    /// The largest datagram.
    private static let largest = 9216

    /// The traffic that a socket receives: how many datagrams one system call takes, and so how much memory the socket keeps.
    public enum Traffic: Sendable {
        /// RTCP, and what is only sent from.
        case reports
        /// RTP at its full rate.
        case media

        var batch: Int {
            switch self {
            case .reports: 2
            case .media: 8
            }
        }
    }

    /// The number of bytes that a socket keeps to receive into.
    static func receiveMemory(_ traffic: Traffic) -> Int { traffic.batch * largest }

    private static func bootstrap(
        _ traffic: Traffic, _ receive: @escaping Receiver, _ onBatch: @escaping @AgentActor () -> Void
    ) -> DatagramBootstrap {
        DatagramBootstrap(group: AgentActor.group)
            .channelOption(.socketOption(.so_rcvbuf), value: SocketOptionValue(receiveBuffer))
            .channelOption(.datagramVectorReadMessageCount, value: traffic.batch)
            // More reads in a turn would each want another buffer.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: receiveMemory(traffic))
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramHandler(receive: receive, onBatch: onBatch))
                }
            }
    }

    /// Queues a datagram; `flush` sends what is queued.
    public func write(_ payload: ByteBuffer, to address: SocketAddress) {
        channel.write(AddressedEnvelope(remoteAddress: address, data: payload), promise: nil)
    }

    public func flush() { channel.flush() }

    /// Sends a datagram, and what was queued before it.
    public func send(_ payload: ByteBuffer, to address: SocketAddress) {
        write(payload, to: address)
        flush()
    }

    public func close() { channel.close(promise: nil) }
}

extension ByteBuffer {
    /// A copy in memory of its own size. A datagram as it comes is a slice of a buffer for a whole batch, which all stays for as long
    /// as any of its datagrams is kept.
    public var compact: ByteBuffer {
        var copy = ByteBufferAllocator().buffer(capacity: readableBytes)
        copy.writeImmutableBuffer(self)
        return copy
    }
}

/// Hands datagrams on.
private final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let receive: DatagramSocket.Receiver
    private let onBatch: @AgentActor () -> Void

    init(receive: @escaping DatagramSocket.Receiver, onBatch: @escaping @AgentActor () -> Void) {
        self.receive = receive
        self.onBatch = onBatch
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        let receive = receive
        AgentActor.assumeIsolated { receive(envelope.data, envelope.remoteAddress) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        let onBatch = onBatch
        AgentActor.assumeIsolated { onBatch() }
    }

    /// An ICMP error for something sent earlier is not a reason to stop receiving.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
