// UDP ports of this node, taken by bound sockets so that no other program gets them.

import Glibc
public import RTPWire

/// Reserves UDP ports that the fast path serves.
///
/// A bound socket also keeps the kernel from answering with "port unreachable" to what gets past the fast path.
public enum UDPPortReservation {
    /// Takes a UDP port of one of this node's addresses; the reservation lasts until the socket is closed everywhere.
    ///
    /// - Parameters:
    ///   - udpPort: in host byte order. 0 has the kernel choose a free one, which the key of the result names.
    ///   - interface: where a link-local address is meant, its name and index; else nil.
    /// - Throws: `conflict` if another program holds it, `unavailable` if the address is not this node's,
    ///   `capacity` at a limit of this process.
    public static func reserve(
        address: IPAddress, udpPort: UInt16, interface: (name: String, index: UInt32)? = nil
    ) throws(RoutingError) -> HeldSocket {
        let asked = SocketKey.reserve(address: address, udpPort: udpPort, interface: interface?.name)
        if address.isLinkLocalUnicast, interface == nil {
            throw RoutingError(.invalid, "\(asked): a link-local address needs an interface, @eth0")
        }
        if address.isMulticast {
            throw RoutingError(.invalid, "\(asked): a multicast address is joined, not reserved")
        }
        let descriptor: OwnedDescriptor
        do {
            descriptor = try OwnedDescriptor.quietUDPSocket(family: address.socketFamily)
        } catch {
            throw failure(asked, error.code)
        }
        if address.family == .ipv6 { descriptor.set(CInt(IPPROTO_IPV6), IPV6_V6ONLY, CInt(1)) }
        var (storage, length) = address.socketAddress(udpPort: udpPort, scope: interface?.index ?? 0)
        let code = withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic -> CInt in
                guard bind(descriptor.number, generic, length) == 0,
                    getsockname(descriptor.number, generic, &length) == 0
                else { return errno }
                return 0
            }
        }
        guard code == 0 else { throw failure(asked, code) }
        // Both families have the UDP port in the same place.
        let port = withUnsafeBytes(of: storage) {
            UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
        let key = SocketKey.reserve(address: address, udpPort: port, interface: interface?.name)
        return HeldSocket(key: key, descriptor: descriptor)
    }

    private static func failure(_ key: SocketKey, _ code: CInt) -> RoutingError {
        guard case .reserve(let address, let udpPort, _) = key else {
            return RoutingError(.failed, "\(key): \(SystemError(code))")
        }
        let endpoint = "UDP port \(udpPort) of \(address)"
        switch code {
        case EADDRINUSE:
            return RoutingError(
                .conflict,
                "\(endpoint) is held by another program; `ss -ulpn 'sport = :\(udpPort)'` names it. "
                    + "Stop it, or choose another UDP port")
        case EADDRNOTAVAIL:
            return RoutingError(.unavailable, "\(endpoint): \(address) is not an address of this node")
        case EACCES:
            return RoutingError(.unavailable, "\(endpoint): UDP ports below 1024 need CAP_NET_BIND_SERVICE")
        case EMFILE, ENFILE:
            return RoutingError(.capacity, "\(endpoint): too many open files; raise LimitNOFILE of the service")
        default:
            return RoutingError(.failed, "\(endpoint): \(SystemError(code))")
        }
    }
}
