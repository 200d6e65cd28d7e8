// A network namespace for one test, which goes when the object goes.

import CrosspointShim
import Glibc
import Synchronization

/// A network namespace with a name of its own, under /run/netns.
///
/// `close()` removes it, as does the end of the object's life. One left behind by a test process that was killed is
/// removed when the next process makes its first.
public final class NetworkNamespace: Sendable {
    /// The name as `ip netns` shows it: `crosspoint-PID-NUMBER-LABEL`.
    public let name: String
    /// Where the namespace is mounted: for setns and nsenter.
    public var path: String { "/run/netns/\(name)" }

    private let isOpen = Mutex(true)
    private static let prefix = "crosspoint-"
    private static let count = Atomic<Int>(0)
    private static let leftoversAreGone: Void = removeLeftovers()

    /// Makes a namespace with `lo` up.
    ///
    /// - Parameter label: the end of its name, for a person who looks at a failing test.
    public init(_ label: String = "test") throws {
        _ = Self.leftoversAreGone
        let number = Self.count.add(1, ordering: .relaxed).newValue
        name = "\(Self.prefix)\(getpid())-\(number)-\(label)"
        try Command.run(["ip", "netns", "add", name])
        try run(["ip", "link", "set", "lo", "up"])
        // Without this, IPv6 addresses are tentative for a second after they are added.
        try setSysctl("net.ipv6.conf.all.accept_dad", 0)
        try setSysctl("net.ipv6.conf.default.accept_dad", 0)
    }

    deinit { close() }

    /// Removes the namespace; its interfaces go as soon as no process and no socket is left in it.
    public func close() {
        isOpen.withLock { isOpen in
            guard isOpen else { return }
            isOpen = false
            _ = try? Command.run(["ip", "netns", "delete", name])
        }
    }

    /// Runs a command in the namespace to its end, and returns what it printed.
    ///
    /// Through nsenter: `ip netns exec` would mount a /sys of its own, without bpffs.
    @discardableResult
    public func run(_ arguments: [String]) throws -> String {
        try start(arguments).finish()
    }

    /// Starts a command in the namespace.
    public func start(_ arguments: [String], environment: [String] = []) throws -> Command {
        try Command(["nsenter", "--net=\(path)"] + arguments, environment: environment)
    }

    /// Runs `body` in the namespace on a thread of its own, and waits. Sockets that it opens stay in the namespace.
    public func perform<T: Sendable>(_ body: @escaping @Sendable () throws -> T) throws -> T {
        let path = path
        return try DedicatedThread.run { try Self.inside(path, body) }
    }

    /// The same from asynchronous code, without blocking its thread.
    public func perform<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        let path = path
        return try await DedicatedThread.run { try Self.inside(path, body) }
    }

    /// Sets a network sysctl of the namespace, `net.ipv4.ip_forward`; a dot in an interface's name is written `/`.
    public func setSysctl(_ key: String, _ value: Int) throws {
        try run(["sysctl", "-q", "-w", "\(key)=\(value)"])
    }

    private static func inside<T>(_ path: String, _ body: () throws -> T) throws -> T {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure("open \(path)") }
        let result = crosspoint_enter_network_namespace(descriptor)
        Glibc.close(descriptor)
        guard result == 0 else { throw SystemFailure("setns \(path)", error: -result) }
        return try body()
    }

    private static func removeLeftovers() {
        let list = (try? Command.run(["ip", "netns", "list"])) ?? ""
        for line in list.split(separator: "\n") {
            guard let name = line.split(separator: " ").first, name.hasPrefix(prefix),
                let owner = name.dropFirst(prefix.count).split(separator: "-").first.flatMap({ pid_t($0) }),
                kill(owner, 0) != 0, errno == ESRCH
            else { continue }
            _ = try? Command.run(["ip", "netns", "delete", String(name)])
        }
    }
}
