// An ordinary UDP socket, as any program on the host has one.

import CrosspointShim
import Glibc
import RTPWire
import TestSupport

/// Sends and receives texts. Belongs to the network namespace of the thread that makes it.
final class UDPSocket: Sendable {
    private let number: CInt

    /// An IPv4 socket; bound if it is given a UDP port, and a member of the group if the address is one.
    init(address: IPAddress? = nil, udpPort: UInt16? = nil, interfaceIndex: UInt32 = 0) throws {
        number = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        guard number >= 0 else { throw SystemFailure("socket") }
        guard let address, let udpPort else { return }
        var one: CInt = 1
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        guard Self.with(address, udpPort, { bind(number, $0, $1) }) == 0 else { throw SystemFailure("bind") }
        guard address.isMulticast else { return }
        var request = ip_mreqn()
        request.imr_multiaddr.s_addr = address.words.3
        request.imr_ifindex = CInt(interfaceIndex)
        guard
            setsockopt(number, CInt(IPPROTO_IP), IP_ADD_MEMBERSHIP, &request, socklen_t(MemoryLayout<ip_mreqn>.size))
                == 0
        else { throw SystemFailure("join") }
    }

    deinit { close(number) }

    /// - Parameter timeToLive: of a text to a group; the kernel's default is 1, which nobody forwards.
    func send(
        _ text: String, to address: IPAddress, udpPort: UInt16, interfaceIndex: UInt32 = 0, timeToLive: CInt = 1
    ) throws {
        if address.isMulticast {
            var timeToLive = timeToLive
            setsockopt(number, CInt(IPPROTO_IP), IP_MULTICAST_TTL, &timeToLive, 4)
            var request = ip_mreqn()
            request.imr_ifindex = CInt(interfaceIndex)
            setsockopt(number, CInt(IPPROTO_IP), IP_MULTICAST_IF, &request, socklen_t(MemoryLayout<ip_mreqn>.size))
        }
        let bytes = Array(text.utf8)
        let sent = Self.with(address, udpPort) { sendto(number, bytes, bytes.count, 0, $0, $1) }
        guard sent == bytes.count else { throw SystemFailure("send") }
    }

    /// The next datagram; nil if none comes in time.
    func receive(milliseconds: Int) -> String? {
        var poller = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        guard poll(&poller, 1, CInt(milliseconds)) > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 2048)
        let count = recv(number, &bytes, bytes.count, 0)
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    private static func with<Result>(
        _ address: IPAddress, _ udpPort: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = udpPort.bigEndian
        name.sin_addr.s_addr = address.words.3
        return withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
