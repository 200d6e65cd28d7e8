// Runs the system's tools (ip, ethtool, tcpdump, …) from tests, with posix_spawn.

public import Glibc

/// A command that failed: what was run, how it ended, and what it printed.
public struct CommandFailure: Error, CustomStringConvertible {
    public let arguments: [String]
    public let status: CInt
    public let output: String

    public var description: String {
        let ending = status & 0x7f == 0 ? "exit code \(status >> 8 & 0xff)" : "signal \(status & 0x7f)"
        return "\(arguments.joined(separator: " ")): \(ending)\n\(output)"
    }
}

/// A child process with its standard output and standard error on one stream.
///
/// It is killed when the object goes, so a failing test leaves no process behind.
public final class Command {
    public let arguments: [String]
    public let processID: pid_t
    private var output: CInt
    private var status: CInt?

    /// Starts `arguments[0]`, looked up in PATH. In a namespace: `NetworkNamespace.start`.
    ///
    /// - Parameter environment: what is added to this process's environment, `NAME=value`.
    public init(_ arguments: [String], environment: [String] = []) throws {
        self.arguments = arguments
        var ends: [CInt] = [-1, -1]
        // Not a pipe: only this closes on exec from its first moment, and other threads start processes too.
        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw SystemFailure("socketpair") }
        defer { close(ends[1]) }
        output = ends[0]

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        // A test runner may have blocked signals on this thread; the child starts with none blocked or ignored.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        var inherited: [UnsafeMutablePointer<CChar>?] = []
        var next = environ
        while let entry = next.pointee {
            inherited.append(strdup(entry))
            next += 1
        }
        var variables = environment.map { strdup($0) } + inherited + [nil]
        defer { variables.forEach { free($0) } }

        var pid: pid_t = 0
        let error = posix_spawnp(&pid, arguments[0], &actions, &attributes, &argv, &variables)
        guard error == 0 else {
            close(output)
            throw SystemFailure("start \(arguments[0])", error: error)
        }
        processID = pid
    }

    deinit {
        if status == nil {
            kill(processID, SIGKILL)
            waitForStatus()
        }
        if output >= 0 { close(output) }
    }

    /// Sends a signal; nothing if the process has been waited for.
    public func signal(_ number: CInt) {
        if status == nil { kill(processID, number) }
    }

    /// Waits for the end, and returns what was printed.
    ///
    /// - Throws: `CommandFailure` if the exit code was not 0 (`checked`).
    @discardableResult
    public func finish(checked: Bool = true) throws -> String {
        let text = readAll()
        let status = waitForStatus()
        if checked, status != 0 { throw CommandFailure(arguments: arguments, status: status, output: text) }
        return text
    }

    /// Reads until a line that contains `text` has been printed.
    ///
    /// - Returns: everything printed so far.
    /// - Throws: `CommandFailure` if the output ended before, or nothing came for `seconds`.
    @discardableResult
    public func waitForOutput(containing text: String, seconds: Int = 30) throws -> String {
        var collected: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            var poller = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard poll(&poller, 1, CInt(seconds * 1000)) > 0, read(output, &byte, 1) == 1 else {
                throw CommandFailure(
                    arguments: arguments, status: status ?? 0,
                    output: "no '\(text)' in: " + String(decoding: collected, as: UTF8.self))
            }
            collected.append(byte)
            if byte == UInt8(ascii: "\n"), String(decoding: collected, as: UTF8.self).contains(text) {
                return String(decoding: collected, as: UTF8.self)
            }
        }
    }

    /// What has been printed and not been read yet, without waiting for more.
    public func outputSoFar() -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        var poller = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        while poll(&poller, 1, 0) > 0 {
            let count = read(output, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Runs a command to its end and returns what it printed.
    @discardableResult
    public static func run(_ arguments: [String]) throws -> String {
        try Command(arguments).finish()
    }

    private func readAll() -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(output, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @discardableResult
    private func waitForStatus() -> CInt {
        if let status { return status }
        var result: CInt = 0
        while waitpid(processID, &result, 0) < 0, errno == EINTR {}
        status = result
        return result
    }
}
