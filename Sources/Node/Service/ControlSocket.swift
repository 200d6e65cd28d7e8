// The Unix domain socket of the control API: whose it is, who may use it, and what is left of an earlier one.

import FileStatus
import Glibc

/// The path of the control socket, claimed for this daemon.
public struct ControlSocket: Sendable {
    /// The socket's path.
    public let path: String
    private let group: gid_t?

    /// Claims `path`: refuses if a daemon answers there or if the file there is not a socket, and removes a socket
    /// that nobody answers. `group` is the name of the group whose members may use it.
    public init(path: String, group: String?) throws(NodeError) {
        self.path = path
        self.group = try group.map { name throws(NodeError) in try Self.identifier(ofGroup: name) }
        guard let status = FileStatus(ofLink: path) else {
            if errno == ENOENT { return }
            throw NodeError(errno: errno, "the socket \(path) cannot be examined")
        }
        guard status.isSocket else {
            throw NodeError(
                .failed, "\(path) is there and is no socket; remove it, or set control.socket to another path")
        }
        guard try !Self.answers(path) else {
            throw NodeError(
                .alreadyRunning, "another daemon answers at \(path); stop it, or set control.socket to another path")
        }
        if unlink(path) != 0, errno != ENOENT {
            throw NodeError(errno: errno, "the stale socket \(path) cannot be removed")
        }
    }

    /// Gives the socket, once it is there, its mode and its group.
    func secure() throws(NodeError) {
        if let group, chown(path, uid_t.max, group) != 0 {
            throw NodeError(errno: errno, "the socket \(path) cannot be given to its group")
        }
        if chmod(path, 0o660) != 0 { throw NodeError(errno: errno, "the mode of the socket \(path) cannot be set") }
    }

    /// Removes the socket.
    func remove() { unlink(path) }

    private static func answers(_ path: String) throws(NodeError) -> Bool {
        let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { throw NodeError(errno: errno, "a socket cannot be opened") }
        defer { close(file) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw NodeError(
                .failed, "the socket's path '\(path)' is longer than the 107 bytes that Linux allows; use a shorter one"
            )
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result == 0 || errno == EAGAIN { return true }
        if errno == ECONNREFUSED || errno == ENOENT { return false }
        throw NodeError(errno: errno, "the socket \(path) cannot be examined")
    }

    private static func identifier(ofGroup name: String) throws(NodeError) -> gid_t {
        var entry = Glibc.group()
        var result: UnsafeMutablePointer<Glibc.group>?
        var buffer = [CChar](repeating: 0, count: 65_536)
        guard getgrnam_r(name, &entry, &buffer, buffer.count, &result) == 0, result != nil else {
            throw NodeError(
                .failed,
                "control.group: there is no group '\(name)' on this host; make it with 'groupadd --system \(name)'")
        }
        return entry.gr_gid
    }
}
