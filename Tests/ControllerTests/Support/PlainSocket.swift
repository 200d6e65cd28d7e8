// An ordinary UDP socket of either family with room for a burst.

import Glibc
import RTPWire
import TestSupport

/// Sends and receives datagrams. Belongs to the network namespace of the thread that makes it.
final class PlainSocket: Sendable {
    let number: CInt

    /// A socket bound to the address, or to its UDP port and joined if it is a group on the interface.
    init(address: IPAddress, udpPort: UInt16, interfaceIndex: UInt32 = 0) throws {
        let isIPv4 = address.family == .ipv4
        number = socket(isIPv4 ? AF_INET : AF_INET6, CInt(SOCK_DGRAM.rawValue), 0)
        guard number >= 0 else { throw SystemFailure("socket") }
        var size: CInt = 64 << 20
        setsockopt(number, SOL_SOCKET, SO_RCVBUFFORCE, &size, 4)
        setsockopt(number, SOL_SOCKET, SO_SNDBUFFORCE, &size, 4)
        guard Self.with(address, udpPort, { bind(number, $0, $1) }) == 0 else { throw SystemFailure("bind \(address)") }
        guard address.isMulticast, isIPv4 else { return }
        var request = ip_mreqn()
        request.imr_multiaddr.s_addr = address.words.3
        request.imr_ifindex = CInt(interfaceIndex)
        let length = socklen_t(MemoryLayout<ip_mreqn>.size)
        guard setsockopt(number, CInt(IPPROTO_IP), IP_ADD_MEMBERSHIP, &request, length) == 0 else {
            throw SystemFailure("join \(address)")
        }
    }

    deinit { close(number) }

    func send(_ bytes: [UInt8], to address: IPAddress, udpPort: UInt16) throws {
        guard Self.with(address, udpPort, { sendto(number, bytes, bytes.count, 0, $0, $1) }) == bytes.count else {
            throw SystemFailure("send to \(address)")
        }
    }

    /// Takes every datagram that is there.
    func receiveAll() -> [[UInt8]] { Self.receiveAll(number) }

    static func receiveAll(_ number: CInt) -> [[UInt8]] {
        var all: [[UInt8]] = []
        var bytes = [UInt8](repeating: 0, count: 10_000)
        while true {
            let count = recv(number, &bytes, bytes.count, CInt(MSG_DONTWAIT))
            if count < 0 { return all }
            all.append(Array(bytes.prefix(count)))
        }
    }

    private static func with<Result>(
        _ address: IPAddress, _ udpPort: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        if address.family == .ipv4 {
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = udpPort.bigEndian
            name.sin_addr.s_addr = address.words.3
            return withUnsafeBytes(of: name) {
                $0.withMemoryRebound(to: sockaddr.self) {
                    body($0.baseAddress!, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_port = udpPort.bigEndian
        withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: address.bytes) }
        return withUnsafeBytes(of: name) {
            $0.withMemoryRebound(to: sockaddr.self) {
                body($0.baseAddress!, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }
}
