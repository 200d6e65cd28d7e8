// A UDP socket that SIP is spoken on.

import AgentSupport
import NIOCore
import NIOPosix
import RTPWire
import SIPCore

/// Receives datagrams by NIO, and sends each at once: what cannot be sent is known when `send` returns.
@AgentActor
final class UDPEndpoint {
    /// One datagram, and the node's address that it was sent to.
    typealias Receiver = @AgentActor (_ bytes: ByteBuffer, _ source: SIPSource) -> Void

    /// The address that it is bound to; unspecified where it takes what comes for any address.
    let address: IPAddress
    let udpPort: UInt16
    private let sender: DatagramSender
    private let channel: any Channel

    var family: IPAddress.Family { address.family }

    /// Bursts of calls wait here while the loop is busy.
    private static let receiveBuffer: Int32 = 4 << 20
    private static let batch = 16
    /// The largest datagram there is (RFC 3261 section 18.1.1).
    private static let largest = 65_535

    init(address: IPAddress, udpPort: UInt16, receive: @escaping Receiver) async throws(SIPTransportError) {
        let (socket, sender) = try DatagramSender.open(address, udpPort, receiveBuffer: Self.receiveBuffer)
        let bound = sender.udpPort
        let wildcard = address.isUnspecified || address == IPAddress(0, 0, 0, 0)
        let local = address
        let bootstrap = DatagramBootstrap(group: AgentActor.group)
            .channelOption(.datagramVectorReadMessageCount, value: Self.batch)
            .channelOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.batch * Self.largest)
            )
            .channelOption(.receivePacketInfo, value: wildcard)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        UDPHandler(local: local, udpPort: bound, receive: receive))
                }
            }
        do {
            channel = try await bootstrap.withBoundSocket(socket).get()
        } catch {
            throw SIPTransportError("sip listener udp \(address.bracketed):\(udpPort): \(ErrorText.of(error))")
        }
        self.sender = sender
        self.udpPort = bound
        self.address = address
    }

    /// Sends a datagram; false where the kernel does not take it. A full buffer is a lost datagram, as elsewhere on its way.
    func send(
        _ bytes: [UInt8], to peer: IPAddress, udpPort: UInt16, from source: IPAddress
    ) -> Bool {
        sender.send(bytes, to: peer, udpPort: udpPort, from: source)
    }

    /// Receives no more; the UDP port is free when nobody holds the endpoint any more.
    func close() async { try? await channel.close() }
}

/// Hands datagrams on with the addresses of both ends.
private final class UDPHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let local: IPAddress
    private let udpPort: UInt16
    private let receive: UDPEndpoint.Receiver

    init(local: IPAddress, udpPort: UInt16, receive: @escaping UDPEndpoint.Receiver) {
        self.local = local
        self.udpPort = udpPort
        self.receive = receive
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let address = IPAddress(envelope.remoteAddress), let port = envelope.remoteAddress.port else { return }
        let destination = envelope.metadata?.packetInfo.flatMap { IPAddress($0.destinationAddress) }
        let source = SIPSource(
            transport: .udp, address: address, transportPort: UInt16(truncatingIfNeeded: port),
            localAddress: destination ?? local, localPort: udpPort)
        let receive = receive
        AgentActor.assumeIsolated { receive(envelope.data, source) }
    }

    /// An ICMP error for something sent earlier is not a reason to stop receiving.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
