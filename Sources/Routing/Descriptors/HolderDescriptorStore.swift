// Descriptors in a holder process, for hosts without a systemd to keep them.

import CrosspointShim
import Glibc
import Synchronization

/// Keeps descriptors in a process of its own, `DescriptorHolder`, which is started when it is first needed.
///
/// Should the holder die, the next call starts another and gives it everything again. In a systemd service without a
/// descriptor store, `KillMode=process` keeps the holder alive over a restart.
public final class HolderDescriptorStore: DescriptorStore {
    private struct State {
        var connection: OwnedDescriptor?
        /// The descriptors that have been stored and not removed: for a new holder.
        var stored: [String: OwnedDescriptor] = [:]
        /// The holder, if it is a child of this process.
        var process: pid_t?
    }

    private let socketPath: String
    private let executable: String
    private let state = Mutex(State())

    /// Nothing is started or connected yet.
    ///
    /// - Parameters:
    ///   - socketPath: of the holder's socket, at most 107 bytes, under the runtime directory.
    ///   - executable: a path; run as `executable hold SOCKETPATH`, it must call `DescriptorHolder.run`.
    public init(socketPath: String, executable: String) {
        self.socketPath = socketPath
        self.executable = executable
        HolderProtocol.raiseDescriptorLimit()
    }

    public func recover() throws(RoutingError) -> [String: OwnedDescriptor] {
        try perform("recover") { state throws(SystemError) in
            let connection = try connection(&state)
            try HolderProtocol.send([HolderProtocol.Command.fetch.rawValue], to: connection)
            var recovered: [String: OwnedDescriptor] = [:]
            while true {
                guard let packet = try HolderProtocol.receive(from: connection) else { throw SystemError(EPIPE) }
                if packet.descriptors.isEmpty, packet.bytes.count == 1 { break }
                let names = packet.bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
                guard names.count == packet.descriptors.count else { throw SystemError(EPROTO) }
                for (name, descriptor) in zip(names, packet.descriptors) {
                    if let name = DescriptorName.decode(name) { recovered[name] = descriptor }
                }
            }
            state.stored = recovered
            return recovered
        }
    }

    public func store(_ name: String, _ descriptor: OwnedDescriptor) throws(RoutingError) {
        let encoded = try DescriptorName.encode(name)
        try perform(name) { state throws(SystemError) in
            try request(.store, encoded, descriptor, on: connection(&state))
            state.stored[name] = descriptor
        }
    }

    public func remove(_ name: String) throws(RoutingError) {
        let encoded = try DescriptorName.encode(name)
        try perform(name) { state throws(SystemError) in
            // Even if the holder cannot be asked, this process must not keep the descriptor open.
            state.stored[name] = nil
            try request(.remove, encoded, on: connection(&state))
        }
    }

    /// The requests go out one behind the other, and the answers are read then: two processes take turns once, not once for each.
    public func store(_ descriptors: [(name: String, descriptor: OwnedDescriptor)]) throws(RoutingError) {
        var encoded: [(name: String, descriptor: OwnedDescriptor)] = []
        for (name, descriptor) in descriptors { encoded.append((try DescriptorName.encode(name), descriptor)) }
        for start in stride(from: 0, to: encoded.count, by: Self.requestsAtOnce) {
            let part = encoded[start..<min(start + Self.requestsAtOnce, encoded.count)]
            try perform("\(part.count) descriptors") { state throws(SystemError) in
                let connection = try connection(&state)
                for (name, descriptor) in part { try send(.store, name, descriptor, on: connection) }
                for _ in part { try receiveStatus(on: connection) }
                for (index, entry) in descriptors.enumerated() where part.indices.contains(index) {
                    state.stored[entry.name] = entry.descriptor
                }
            }
        }
    }

    public func remove(_ names: [String]) throws(RoutingError) {
        var encoded: [String] = []
        for name in names { encoded.append(try DescriptorName.encode(name)) }
        for start in stride(from: 0, to: encoded.count, by: Self.requestsAtOnce) {
            let part = encoded[start..<min(start + Self.requestsAtOnce, encoded.count)]
            try perform("\(part.count) descriptors") { state throws(SystemError) in
                for (index, name) in names.enumerated() where part.indices.contains(index) { state.stored[name] = nil }
                let connection = try connection(&state)
                for name in part { try send(.remove, name, on: connection) }
                for _ in part { try receiveStatus(on: connection) }
            }
        }
    }

    /// A holder that has died, or was killed, is replaced by one that gets everything: until then the sockets end with this process.
    public func renew() throws(RoutingError) -> Bool {
        let hasGone = state.withLock { state in
            guard let connection = state.connection else { return !state.stored.isEmpty }
            var byte: UInt8 = 0
            // A holder only answers; between two requests there is nothing to read but its end.
            guard recv(connection.number, &byte, 1, CInt(MSG_PEEK | MSG_DONTWAIT)) == 0 else { return false }
            state.connection = nil
            return !state.stored.isEmpty
        }
        guard hasGone else { return false }
        try perform("renew") { state throws(SystemError) in _ = try connection(&state) }
        return true
    }

    /// A holder answers each before it takes the next: their answers must fit its socket's buffer.
    private static let requestsAtOnce = 16

    public func finish() throws(RoutingError) {
        try perform("finish") { state throws(SystemError) in
            // No holder needs to be started in order to be stopped.
            guard let connection = state.connection ?? connect() else { return }
            try request(.stop, "", on: connection)
            state.connection = nil
            if state.stored.isEmpty, let process = state.process {
                state.process = nil
                waitpid(process, nil, 0)
            }
        }
    }

    /// Closes everything that a holder holds, and ends it. Nothing if there is none.
    public func discard() throws(RoutingError) {
        let isThere = state.withLock { state in
            if state.connection == nil { state.connection = connect() }
            return state.connection != nil
        }
        guard isThere else { return }
        for name in try recover().keys { try remove(name) }
        try finish()
    }

    /// Runs `body`, and once more with a new connection if the holder has gone.
    private func perform<Result: Sendable>(
        _ subject: String, _ body: (inout State) throws(SystemError) -> Result
    ) throws(RoutingError) -> Result {
        let outcome = state.withLock { state -> Swift.Result<Result, SystemError> in
            for _ in 0..<2 {
                do throws(SystemError) {
                    return .success(try body(&state))
                } catch {
                    state.connection = nil
                    guard [EPIPE, ECONNRESET, ENOTCONN].contains(error.code) else { return .failure(error) }
                }
            }
            return .failure(SystemError(EPIPE))
        }
        switch outcome {
        case .success(let result): return result
        case .failure(let error):
            throw RoutingError(.failed, "descriptor holder at \(socketPath), '\(subject)': \(error)")
        }
    }

    private func request(
        _ command: HolderProtocol.Command, _ name: String, _ descriptor: OwnedDescriptor? = nil,
        on connection: OwnedDescriptor
    ) throws(SystemError) {
        try send(command, name, descriptor, on: connection)
        try receiveStatus(on: connection)
    }

    private func send(
        _ command: HolderProtocol.Command, _ name: String, _ descriptor: OwnedDescriptor? = nil,
        on connection: OwnedDescriptor
    ) throws(SystemError) {
        try HolderProtocol.send([command.rawValue] + name.utf8, descriptor.map { [$0] } ?? [], to: connection)
    }

    private func receiveStatus(on connection: OwnedDescriptor) throws(SystemError) {
        guard let status = try HolderProtocol.receive(from: connection, room: 64)?.bytes.first else {
            throw SystemError(EPIPE)
        }
        guard status == 0 else { throw SystemError(CInt(status)) }
    }

    /// The connection, made if need be, to a holder started if need be, which gets what the last one had.
    private func connection(_ state: inout State) throws(SystemError) -> OwnedDescriptor {
        if let connection = state.connection { return connection }
        if let process = state.process, waitpid(process, nil, WNOHANG) != 0 { state.process = nil }
        let connection = if let connection = connect() { connection } else { try startAndConnect(&state) }
        guard HolderProtocol.isTrusted(connection) else { throw SystemError(EPERM) }
        for (name, descriptor) in state.stored {
            guard let encoded = try? DescriptorName.encode(name) else { continue }
            try request(.store, encoded, descriptor, on: connection)
        }
        state.connection = connection
        return connection
    }

    private func connect() -> OwnedDescriptor? {
        guard let socket = try? HolderProtocol.makeSocket() else { return nil }
        let code = HolderProtocol.withAddress(socketPath) { Glibc.connect(socket.number, $0, $1) }
        return code == 0 ? socket : nil
    }

    /// Starts a holder and waits until it serves: some milliseconds, seconds on a machine that is busy booting.
    private func startAndConnect(_ state: inout State) throws(SystemError) -> OwnedDescriptor {
        var failures = 0
        var process = try start()
        for _ in 0..<1000 {
            usleep(10_000)
            if let connection = connect() {
                state.process = process
                return connection
            }
            var status: CInt = 0
            guard waitpid(process, &status, WNOHANG) == process else { continue }
            // It cannot serve there, or met a holder that was about to end. The latter does not happen often.
            failures += 1
            guard failures < 3 else {
                let ending = status & 0x7f == 0 ? "exit code \(status >> 8 & 0xff)" : "signal \(status & 0x7f)"
                throw SystemError(
                    ECHILD, "it does not start (\(ending)); run `\(executable) hold \(socketPath)` to see why")
            }
            process = try start()
        }
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
        throw SystemError(ETIMEDOUT, "it was started, and did not serve within ten seconds")
    }

    private func start() throws(SystemError) -> pid_t {
        let words: [String] = [executable, "hold", socketPath]
        var arguments = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        let process = crosspoint_spawn_session(&arguments)
        guard process > 0 else { throw SystemError(-process) }
        return process
    }
}
