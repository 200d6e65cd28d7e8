// What systemd wants to hear from a service (sd_notify(3)): a datagram to the socket that $NOTIFY_SOCKET names.

import Glibc

/// Tells systemd how the daemon fares; does nothing where there is no systemd.
struct SystemdNotifier: Sendable {
    private let socketPath: String?
    /// How often the watchdog wants to hear from the daemon, half of what `WatchdogSec=` allows; nil if it does not.
    let watchdogInterval: Duration?

    init() {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        socketPath = variable("NOTIFY_SOCKET").flatMap { $0.isEmpty ? nil : $0 }
        let isOurs = variable("WATCHDOG_PID").map { $0 == String(getpid()) } ?? true
        watchdogInterval =
            isOurs ? variable("WATCHDOG_USEC").flatMap { Int64($0) }.map { .microseconds($0 / 2) } : nil
    }

    /// Sends `state`, such as `READY=1`. Nobody can act on a failure here, so there is none.
    func notify(_ state: String) {
        guard let socketPath else { return }
        var bytes = Array(socketPath.utf8)
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        let file = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return }
        defer { close(file) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        // An abstract name ends with the length, not with a zero.
        let length = MemoryLayout<sockaddr_un>.offset(of: \.sun_path).map { $0 + bytes.count } ?? 0
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Array(state.utf8).withUnsafeBytes {
                    sendto(file, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL), pointer, socklen_t(length))
                }
            }
        }
    }
}
