// The kernel's form of an address and UDP port.

import Glibc
import RTPWire

extension IPAddress {
    /// The address family of sockets for it.
    var socketFamily: CInt { family == .ipv4 ? AF_INET : AF_INET6 }

    /// The level of its IP socket options.
    var optionLevel: CInt { CInt(family == .ipv4 ? IPPROTO_IP : IPPROTO_IPV6) }

    /// A `sockaddr_in` or `sockaddr_in6`, in the room for either, and its length.
    ///
    /// - Parameters:
    ///   - udpPort: in host byte order.
    ///   - scope: the interface of a link-local IPv6 address, else 0.
    func socketAddress(udpPort: UInt16, scope: UInt32 = 0) -> (sockaddr_storage, socklen_t) {
        var storage = sockaddr_storage()
        let bytes = bytes
        let length = withUnsafeMutableBytes(of: &storage) { room in
            switch family {
            case .ipv4:
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = udpPort.bigEndian
                withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes) }
                room.storeBytes(of: address, as: sockaddr_in.self)
                return MemoryLayout<sockaddr_in>.size
            case .ipv6:
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_port = udpPort.bigEndian
                address.sin6_scope_id = scope
                withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
                room.storeBytes(of: address, as: sockaddr_in6.self)
                return MemoryLayout<sockaddr_in6>.size
            }
        }
        return (storage, socklen_t(length))
    }
}

extension OwnedDescriptor {
    /// A UDP socket that keeps next to nothing of what arrives.
    ///
    /// - Throws: errno.
    static func quietUDPSocket(family: CInt) throws(SystemError) -> OwnedDescriptor {
        let type = CInt(bitPattern: SOCK_DGRAM.rawValue | UInt32(SOCK_CLOEXEC.rawValue))
        let number = socket(family, type, 0)
        guard number >= 0 else { throw SystemError(errno) }
        let descriptor = OwnedDescriptor(owning: number)
        // The kernel makes its smallest buffer of this.
        descriptor.set(SOL_SOCKET, SO_RCVBUF, CInt(1))
        return descriptor
    }

    /// Sets a socket option.
    ///
    /// - Returns: 0, or errno.
    @discardableResult
    func set<Value: BitwiseCopyable>(_ level: CInt, _ option: CInt, _ value: Value) -> CInt {
        withUnsafeBytes(of: value) {
            setsockopt(number, level, option, $0.baseAddress, socklen_t($0.count)) == 0 ? 0 : errno
        }
    }
}
