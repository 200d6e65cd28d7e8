// Descriptors in systemd's file descriptor store (FileDescriptorStoreMax= in systemd.service(5)).

import Glibc
import Synchronization

/// Has systemd keep descriptors over restarts and crashes of the service.
///
/// systemd discards what exceeds `FileDescriptorStoreMax=`, silently; and, before version 254, everything when the
/// service is stopped rather than restarted.
public final class SystemdDescriptorStore: DescriptorStore {
    private let notifier: SystemdNotifier
    private let inherited: Mutex<[String: OwnedDescriptor]>

    /// Takes over what systemd handed to this process, which is closed on exec from now on, and takes the variables
    /// that say so from the environment, since they do not concern processes that this one starts.
    ///
    /// - Parameter environment: of this process. Nil if systemd is not there.
    public init?(environment: [String: String]) {
        guard let notifier = SystemdNotifier(environment: environment) else { return nil }
        self.notifier = notifier
        inherited = Mutex(Self.takeInherited(environment))
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
    }

    public func recover() throws(RoutingError) -> [String: OwnedDescriptor] {
        inherited.withLock { inherited in
            defer { inherited = [:] }
            return inherited
        }
    }

    public func store(_ name: String, _ descriptor: OwnedDescriptor) throws(RoutingError) {
        try remove(name)
        // FDPOLL=0: else systemd drops a descriptor on which poll reports an error.
        try send("FDSTORE=1\nFDPOLL=0\nFDNAME=\(try DescriptorName.encode(name))", name, descriptor)
    }

    public func remove(_ name: String) throws(RoutingError) {
        try send("FDSTOREREMOVE=1\nFDNAME=\(try DescriptorName.encode(name))", name)
    }

    public func finish() throws(RoutingError) {}

    private func send(
        _ message: String, _ name: String, _ descriptor: OwnedDescriptor? = nil
    ) throws(RoutingError) {
        let code = notifier.send(message, descriptor: descriptor)
        guard code == 0 else {
            throw RoutingError(.failed, "systemd's descriptor store, '\(name)': \(SystemError(code))")
        }
    }

    /// The descriptors from 3 on that carry our names; others, as of socket units, are left alone.
    private static func takeInherited(_ environment: [String: String]) -> [String: OwnedDescriptor] {
        guard environment["LISTEN_PID"] == "\(getpid())",
            let count = environment["LISTEN_FDS"].flatMap({ CInt($0) }), count > 0,
            let names = environment["LISTEN_FDNAMES"]
        else { return [:] }
        var taken: [String: OwnedDescriptor] = [:]
        for (name, number) in zip(names.split(separator: ":", omittingEmptySubsequences: false), 3..<3 + count) {
            guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0, let name = DescriptorName.decode(name) else { continue }
            taken[name] = OwnedDescriptor(owning: number)
        }
        return taken
    }
}
