// Check that a TCP or UDP port can be listened on: asked of the kernel by binding it for a moment.

import Glibc
import RTPWire

/// Tries TCP and UDP ports.
enum TransportPortCheck {
    /// The transport by which packets or connections come.
    enum Transport: String {
        case tcp = "TCP"
        case udp = "UDP"
    }

    /// The state of a port by the kernel's answer.
    enum State: String, Encodable {
        case free
        /// The daemon of this node has it.
        case ours = "in use by the daemon"
        case taken
        /// Below `net.ipv4.ip_unprivileged_port_start`, and this process may not.
        case privileged = "needs CAP_NET_BIND_SERVICE"
        /// No interface has the address.
        case noAddress = "no such address"
        case unknown

        /// The obstacle for a listener, with the remedy; nil without one.
        func problem(at transport: Transport, _ address: IPAddress?, _ number: UInt16) -> String? {
            switch self {
            case .taken:
                "\(transport.rawValue) port \(number) is taken by another program; stop that, or listen on another"
            case .noAddress:
                "no interface of this host has the address \(address?.description ?? ""); use one that it has"
            case .free, .ours, .privileged, .unknown: nil
            }
        }
    }

    /// The state of a port at `address`, or at every address.
    static func state(of transport: Transport, _ address: IPAddress?, _ number: UInt16, isRunning: Bool) -> State {
        // Every address means both families.
        let isIPv4 = address?.family == .ipv4
        let type = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
        let file = socket(isIPv4 ? AF_INET : AF_INET6, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return .unknown }
        defer { close(file) }
        if transport == .tcp {
            // The same option as a listener sets: a connection that waits in TIME-WAIT is not another listener.
            var on: Int32 = 1
            setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        guard bind(file, address, number) != 0 || transport == .tcp && Glibc.listen(file, 1) != 0 else { return .free }
        switch errno {
        case EADDRINUSE: return isRunning ? .ours : .taken
        case EACCES: return .privileged
        case EADDRNOTAVAIL: return .noAddress
        default: return .unknown
        }
    }

    private static func bind(_ file: Int32, _ local: IPAddress?, _ number: UInt16) -> Int32 {
        func bind(_ address: UnsafeRawPointer, _ length: Int) -> Int32 {
            Glibc.bind(file, address.assumingMemoryBound(to: sockaddr.self), socklen_t(length))
        }
        if let address = local, address.family == .ipv4 {
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = number.bigEndian
            withUnsafeMutableBytes(of: &name.sin_addr) { $0.copyBytes(from: address.bytes) }
            return bind(&name, MemoryLayout<sockaddr_in>.size)
        }
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_port = number.bigEndian
        if let address = local {
            withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: address.bytes) }
        }
        return bind(&name, MemoryLayout<sockaddr_in6>.size)
    }
}
