// A UDP socket as it sends.

import CrosspointShim
import Glibc
import RTPWire

/// Sends datagrams at once, from any of the host's addresses. What receives on the same socket has a descriptor of its own.
final class DatagramSender {
    /// The UDP port that the socket is bound to.
    let udpPort: UInt16
    private let descriptor: Int32

    /// A bound socket: the descriptor for whoever receives, who closes it, and the sender.
    static func open(
        _ address: IPAddress, _ udpPort: UInt16, receiveBuffer: Int32
    ) throws(SIPTransportError) -> (receiver: Int32, sender: DatagramSender) {
        var place = crosspoint_place(address, udpPort)
        let socket = crosspoint_datagram_socket(&place, receiveBuffer)
        guard socket >= 0 else {
            throw SIPTransportError(
                "sip listener udp \(address.bracketed):\(udpPort): \(String(cString: strerror(-socket))); is another server "
                    + "running there?")
        }
        let sender = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard sender >= 0 else {
            close(socket)
            throw SIPTransportError(
                "sip listener udp \(address.bracketed):\(udpPort): no more descriptors; raise the limit of open files")
        }
        return (socket, DatagramSender(sender))
    }

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        udpPort = crosspoint_datagram_port(descriptor)
    }

    deinit { close(descriptor) }

    /// Sends a datagram; false where the kernel does not take it. A full buffer is a lost datagram, as elsewhere on its way.
    func send(_ bytes: [UInt8], to peer: IPAddress, udpPort: UInt16, from source: IPAddress) -> Bool {
        var destination = crosspoint_place(peer, udpPort)
        var origin = crosspoint_place(source, 0)
        let result = bytes.withUnsafeBytes {
            crosspoint_datagram_send(descriptor, $0.baseAddress, $0.count, &destination, &origin)
        }
        return result == 0 || result == -EAGAIN || result == -ENOBUFS
    }
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
