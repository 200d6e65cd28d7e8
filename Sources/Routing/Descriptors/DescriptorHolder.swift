// The holder: a process that does nothing but keep descriptors open while the daemon restarts.

import CrosspointShim
import Glibc

/// The holder process: one thread, no allocation to speak of, nothing that can go wrong when the daemon does.
public enum DescriptorHolder {
    /// Holds descriptors until it is asked to stop and nothing is held any more; then removes the socket and returns.
    ///
    /// Ignores SIGHUP, SIGINT and SIGTERM. If another holder serves the path, it returns after a second.
    ///
    /// - Parameter socketPath: of the Unix socket to serve, at most 107 bytes, in a directory that exists and that
    ///   this user can write to. A lock file is beside it, `.lock`.
    /// - Throws: if the socket cannot be made.
    public static func run(socketPath: String) throws(RoutingError) {
        for number in [SIGHUP, SIGINT, SIGTERM, SIGPIPE] { signal(number, SIG_IGN) }
        HolderProtocol.raiseDescriptorLimit()
        do {
            // Held as long as this process lives: two holders that start at once would take the path from each other.
            let lock = open(socketPath + ".lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
            guard lock >= 0 else { throw SystemError(errno) }
            let ownedLock = OwnedDescriptor(owning: lock)
            // The one before may be on its way out; one that is still there after a second stays.
            var attempts = 0
            while flock(lock, LOCK_EX | LOCK_NB) != 0 {
                attempts += 1
                guard attempts < 100 else { return }
                usleep(10_000)
            }
            var holder = Holder(listener: try listen(at: socketPath))
            try holder.serve()
            unlink(socketPath)
            withExtendedLifetime(ownedLock) {}
        } catch {
            throw RoutingError(.failed, "descriptor holder at \(socketPath): \(error)")
        }
    }

    private static func listen(at path: String) throws(SystemError) -> OwnedDescriptor {
        let listener = try HolderProtocol.makeSocket()
        // A socket that is there belongs to a holder that died, or the lock would not be ours.
        unlink(path)
        let mask = umask(0o177)
        let code = HolderProtocol.withAddress(path) { bind(listener.number, $0, $1) }
        umask(mask)
        guard code == 0 else { throw SystemError(code) }
        guard Glibc.listen(listener.number, 16) == 0 else { throw SystemError(errno) }
        return listener
    }
}

/// The state of a holder: its descriptors and its connections.
private struct Holder {
    let listener: OwnedDescriptor
    private var held: [String: OwnedDescriptor] = [:]
    private var clients: [OwnedDescriptor] = []
    private var isToStop = false

    init(listener: OwnedDescriptor) { self.listener = listener }

    mutating func serve() throws(SystemError) {
        while !(isToStop && held.isEmpty) {
            var polled = ([listener] + clients).map { pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0) }
            let count = poll(&polled, nfds_t(polled.count), -1)
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError(errno)
            }
            for (index, client) in clients.enumerated().reversed() where polled[index + 1].revents != 0 {
                do {
                    guard let packet = try HolderProtocol.receive(from: client) else {
                        clients.remove(at: index)
                        continue
                    }
                    try answer(packet, client)
                } catch {
                    // One that does not keep to the protocol, or takes no answer, is none of ours.
                    clients.remove(at: index)
                }
            }
            if polled[0].revents != 0 { accept() }
        }
    }

    private mutating func accept() {
        let number = Glibc.accept(listener.number, nil, nil)
        guard number >= 0 else { return }
        let client = OwnedDescriptor(owning: number)
        // Descriptors of other processes are not ours to give.
        guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0, HolderProtocol.isTrusted(client) else { return }
        // A daemon that hangs while it fetches must not hang the holder for the next one.
        client.set(SOL_SOCKET, SO_SNDTIMEO, timeval(tv_sec: 5, tv_usec: 0))
        clients.append(client)
    }

    private mutating func answer(_ packet: HolderProtocol.Packet, _ client: OwnedDescriptor) throws(SystemError) {
        guard let byte = packet.bytes.first, let command = HolderProtocol.Command(rawValue: byte) else {
            throw SystemError(EPROTO)
        }
        let name = String(decoding: packet.bytes.dropFirst(), as: UTF8.self)
        switch command {
        case .store:
            guard packet.descriptors.count == 1, let descriptor = packet.descriptors.first, !name.isEmpty else {
                throw SystemError(EPROTO)
            }
            isToStop = false
            held[name] = descriptor
        case .remove:
            held[name] = nil
        case .fetch:
            let entries = Array(held)
            for start in stride(from: 0, to: entries.count, by: HolderProtocol.batch) {
                let part = entries[start..<min(start + HolderProtocol.batch, entries.count)]
                try HolderProtocol.send(part.flatMap { $0.key.utf8 + [0] }, part.map(\.value), to: client)
            }
        case .stop:
            isToStop = true
        }
        try HolderProtocol.send([0], to: client)
    }
}
