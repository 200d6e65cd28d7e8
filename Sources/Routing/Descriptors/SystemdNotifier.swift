// Notifications of a service to systemd: sd_notify(3), without libsystemd.

import CrosspointShim
import Glibc

/// Sends state to the service manager, over the datagram socket that NOTIFY_SOCKET names.
///
/// Messages are hints: where no manager listens, nothing happens.
public struct SystemdNotifier: Sendable {
    /// The path of the manager's socket; a leading `@` denotes the abstract namespace.
    private let path: String
    private let socket: OwnedDescriptor
    /// The interval at which the manager wants `watchdog()`; half of it is a good interval. Nil if it does not.
    public let watchdogInterval: Duration?

    /// - Parameter environment: of this process. Nil if it names no socket.
    public init?(environment: [String: String]) {
        guard let path = environment["NOTIFY_SOCKET"], path.hasPrefix("/") || path.hasPrefix("@") else { return nil }
        let type = CInt(bitPattern: SOCK_DGRAM.rawValue | UInt32(SOCK_CLOEXEC.rawValue))
        let number = Glibc.socket(AF_UNIX, type, 0)
        guard number >= 0 else { return nil }
        socket = OwnedDescriptor(owning: number)
        self.path = path
        let isForUs = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        watchdogInterval = isForUs && microseconds > 0 ? .microseconds(microseconds) : nil
    }

    /// The node carries traffic, or a reload is complete.
    public func ready() { _ = send("READY=1") }

    /// A reload begins. `ready()` ends it.
    public func reloading() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        _ = send("RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)")
    }

    /// The service is about to end.
    public func stopping() { _ = send("STOPPING=1") }

    /// One line for `systemctl status`; line breaks become spaces.
    public func status(_ text: String) {
        _ = send("STATUS=" + String(text.map { $0.isNewline ? " " : $0 }))
    }

    /// The service is alive.
    public func watchdog() { _ = send("WATCHDOG=1") }

    /// Sends a message, with a descriptor if there is one.
    ///
    /// - Returns: 0, or errno.
    func send(_ message: String, descriptor: OwnedDescriptor? = nil) -> CInt {
        var message = message
        let sent = message.withUTF8 { text in
            var number = descriptor?.number ?? -1
            return crosspoint_send_descriptors_to(
                socket.number, path, text.baseAddress, text.count, &number, descriptor == nil ? 0 : 1)
        }
        return sent < 0 ? CInt(-sent) : 0
    }
}
