// Sockets on 127.0.0.0/8 as players, publishers and cameras have them, never blocking.

import AgentSupport
import Glibc
import RTPWire
import TestSupport

@testable import RTSPProxy

/// A TCP or UDP socket. What it waits for it polls, so that nothing of the process waits with it.
final class LoopbackSocket: Sendable {
    let descriptor: CInt

    /// A TCP connection, from `source` if given, with a receive buffer of `receiveBuffer` bytes if given.
    init(
        connectingTo tcpPort: UInt16, at address: IPAddress = IPAddress(127, 0, 0, 1), from source: IPAddress? = nil,
        receiveBuffer: CInt? = nil
    ) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if var receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, 4) }
        if let source {
            guard Self.with(source, 0, { bind(descriptor, $0, $1) }) == 0 else { throw SystemFailure("bind") }
        }
        guard Self.with(address, tcpPort, { connect(descriptor, $0, $1) }) == 0 else { throw SystemFailure("connect") }
    }

    /// A UDP socket that is bound to the address, and to a free UDP port if it is 0.
    init(udpPort: UInt16, at address: IPAddress = IPAddress(127, 0, 0, 1)) throws {
        descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard Self.with(address, udpPort, { bind(descriptor, $0, $1) }) == 0 else {
            close(descriptor)
            throw SystemFailure("bind")
        }
    }

    deinit { close(descriptor) }

    /// The UDP or TCP port that it is bound to.
    var udpPort: UInt16? {
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return result == 0 ? UInt16(bigEndian: name.sin_port) : nil
    }

    func send(_ bytes: [UInt8]) throws {
        guard Glibc.send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count else {
            throw SystemFailure("send")
        }
    }

    func send(_ bytes: [UInt8], to address: IPAddress, udpPort: UInt16) throws {
        let sent = Self.with(address, udpPort) { sendto(descriptor, bytes, bytes.count, 0, $0, $1) }
        guard sent == bytes.count else { throw SystemFailure("sendto") }
    }

    /// What is there now: nil where nothing is, empty at the end of a connection.
    func receiveNow(peeking: Bool = false) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let flags = CInt(MSG_DONTWAIT) | (peeking ? CInt(MSG_PEEK) : 0)
        let count = recv(descriptor, &bytes, bytes.count, flags)
        // A connection that was reset is at its end too.
        if count < 0 { return errno == EAGAIN ? nil : [] }
        return Array(bytes.prefix(count))
    }

    /// The next datagram or bytes; nil when none come.
    func receive() async -> [UInt8]? {
        for _ in 0..<10_000 {
            if let bytes = receiveNow() { return bytes }
            try? await Task.sleep(for: .milliseconds(1))
        }
        return nil
    }

    private static func with<Result>(
        _ address: IPAddress, _ number: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = number.bigEndian
        name.sin_addr.s_addr = address.words.3
        return withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

/// Whether `condition` comes true; what it waits for happens at once or never.
@AgentActor func eventually(_ condition: @AgentActor () async -> Bool) async -> Bool {
    for _ in 0..<10_000 {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(1))
    }
    return false
}
