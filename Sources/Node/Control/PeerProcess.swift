// The process at the other end of a Unix domain socket.

import FoundationEssentials
import Glibc
import NIOCore

/// A process that is connected to a Unix domain socket, as the kernel recorded it when it connected (SO_PEERCRED, unix(7)).
struct PeerProcess: Sendable, CustomStringConvertible {
    /// The kernel's `struct ucred`.
    private struct Credentials: Sendable {
        var process: Int32 = 0
        var user: UInt32 = 0
        var group: UInt32 = 0
    }

    let process: Int32
    let user: UInt32

    /// The peer of a connection; nil where it is not one of a Unix domain socket.
    init?(_ channel: any Channel) async {
        guard channel.localAddress?.protocol == .unix, let options = channel as? any SocketOptionProvider else {
            return nil
        }
        let read: EventLoopFuture<Credentials> = options.unsafeGetSocketOption(
            level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
        guard let credentials = try? await read.get(), credentials.process > 0 else { return nil }
        (process, user) = (credentials.process, credentials.user)
    }

    /// The user and the program: `anna (crosspoint, process 4711)`.
    var description: String {
        let name = Self.name(ofUser: user) ?? "user \(user)"
        let command = (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8))
            .map { $0.filter { !$0.isNewline } }
        guard let command, !command.isEmpty else { return "\(name) (process \(process))" }
        return "\(name) (\(command), process \(process))"
    }

    private static func name(ofUser user: UInt32) -> String? {
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwuid_r(user, &entry, &buffer, buffer.count, &result) == 0, result != nil else { return nil }
        return String(cString: entry.pw_name)
    }
}
