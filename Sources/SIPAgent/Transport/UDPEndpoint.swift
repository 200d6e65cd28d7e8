// A UDP socket that SIP is spoken on.

import AgentSupport
import CrosspointShim
import Glibc
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
    private let descriptor: Int32
    private let channel: any Channel

    var family: IPAddress.Family { address.family }

    /// Bursts of calls wait here while the loop is busy.
    private static let receiveBuffer: Int32 = 4 << 20
    private static let batch = 16
    /// The largest datagram there is (RFC 3261 section 18.1.1).
    private static let largest = 65_535

    init(address: IPAddress, udpPort: UInt16, receive: @escaping Receiver) async throws(SIPTransportError) {
        var place = crosspoint_place(address, udpPort)
        let socket = crosspoint_datagram_socket(&place, Self.receiveBuffer)
        guard socket >= 0 else {
            throw SIPTransportError(
                "sip listener udp \(address.bracketed):\(udpPort): \(String(cString: strerror(-socket))); is another server "
                    + "running there?")
        }
        let sender = dup(socket)
        let bound = crosspoint_datagram_port(socket)
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
            close(sender)
            throw SIPTransportError("sip listener udp \(address.bracketed):\(udpPort): \(error)")
        }
        descriptor = sender
        udpPort = bound
        self.address = address
    }

    deinit { Glibc.close(descriptor) }

    /// Sends a datagram; false where the kernel does not take it. A full buffer is a lost datagram, as elsewhere on its way.
    func send(
        _ bytes: [UInt8], to peer: IPAddress, udpPort: UInt16, from source: IPAddress
    ) -> Bool {
        var destination = crosspoint_place(peer, udpPort)
        var origin = crosspoint_place(source, 0)
        let result = bytes.withUnsafeBytes {
            crosspoint_datagram_send(descriptor, $0.baseAddress, $0.count, &destination, &origin)
        }
        return result == 0 || result == -EAGAIN || result == -ENOBUFS
    }

    func close() { channel.close(promise: nil) }
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

    /// An ICMP error for something sent earlier is no reason to stop receiving.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

extension crosspoint_place {
    init(_ address: IPAddress, _ udpPort: UInt16) {
        self.init()
        family = address.family == .ipv4 ? AF_INET : AF_INET6
        withUnsafeMutableBytes(of: &self.address) { $0.copyBytes(from: address.bytes) }
        udp_port = udpPort
    }

    /// The address; the family says how many of the bytes count.
    var ipAddress: IPAddress? {
        withUnsafeBytes(of: address) { IPAddress(bytes: $0.prefix(family == AF_INET ? 4 : 16)) }
    }
}
