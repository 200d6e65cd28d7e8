// Protocol between the daemon and the holder process.

import CrosspointShim
import Glibc

/// The holder's protocol: SOCK_SEQPACKET, one request at a time, each answered.
///
/// A request is a command byte and an encoded name. `store` carries one descriptor. The answer is one byte of status
/// (an errno, 0 for success); to `fetch`, a number of packets of names, each ended by a zero byte, and as many
/// descriptors, and then the status.
enum HolderProtocol {
    enum Command: UInt8 {
        case store = 0x53  // S
        case remove = 0x52  // R
        case fetch = 0x46  // F
        case stop = 0x51  // Q
    }

    /// Descriptors per packet of an answer to `fetch`. The kernel's limit is 253, and a packet must fit a send buffer.
    static let batch = 128
    /// Room for any packet.
    static let packetSize = batch * (DescriptorName.maximumLength + 1)

    /// A packet with its descriptors.
    struct Packet {
        var bytes: ArraySlice<UInt8>
        var descriptors: [OwnedDescriptor]
    }

    static func send(
        _ bytes: [UInt8], _ descriptors: [OwnedDescriptor] = [], to socket: OwnedDescriptor
    ) throws(SystemError) {
        let numbers = descriptors.map(\.number)
        let sent = withExtendedLifetime(descriptors) {
            crosspoint_send_descriptors(socket.number, bytes, bytes.count, numbers, numbers.count)
        }
        guard sent >= 0 else { throw SystemError(CInt(-sent)) }
    }

    /// - Parameter room: For the packet's bytes.
    /// - Returns: nil when the other end has closed.
    static func receive(from socket: OwnedDescriptor, room: Int = packetSize) throws(SystemError) -> Packet? {
        var bytes = [UInt8](repeating: 0, count: room)
        var numbers = [CInt](repeating: -1, count: Int(CROSSPOINT_DESCRIPTORS_MAX))
        var count = 0
        let received = crosspoint_receive_descriptors(socket.number, &bytes, bytes.count, &numbers, &count)
        guard received >= 0 else { throw SystemError(CInt(-received)) }
        let descriptors = numbers[..<count].map { OwnedDescriptor(owning: $0) }
        return received == 0 ? nil : Packet(bytes: bytes[..<received], descriptors: descriptors)
    }

    /// A socket of the kind, and the address of the path.
    static func makeSocket() throws(SystemError) -> OwnedDescriptor {
        let type = CInt(bitPattern: SOCK_SEQPACKET.rawValue | UInt32(SOCK_CLOEXEC.rawValue))
        let number = socket(AF_UNIX, type, 0)
        guard number >= 0 else { throw SystemError(errno) }
        return OwnedDescriptor(owning: number)
    }

    /// Calls `body` with the path as an address: for bind and connect, which return 0 or -1.
    ///
    /// - Returns: 0, or errno.
    static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) -> CInt {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard bytes.count < room.count else { return false }
            room.copyBytes(from: bytes)
            return true
        }
        guard fits else { return ENAMETOOLONG }
        return withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 ? 0 : errno
            }
        }
    }

    /// True if the process at the other end belongs to our user, or to root.
    static func isTrusted(_ socket: OwnedDescriptor) -> Bool {
        var user: UInt32 = .max
        return crosspoint_peer_user(socket.number, &user) == 0 && (user == geteuid() || user == 0)
    }

    /// Lets this process have as many descriptors as its hard limit allows.
    static func raiseDescriptorLimit() {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(resource, &limit)
    }
}
