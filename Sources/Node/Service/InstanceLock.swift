// One daemon per directory: a lock that the kernel gives back when its holder dies.

import FoundationEssentials
public import Glibc

/// An exclusive lock on a directory, held as long as the value lives.
///
/// Take it before anything of the node is touched. `flock` binds it to the open file, so a daemon that is killed leaves no stale lock.
public final class InstanceLock: Sendable {
    private let file: CInt

    /// Locks `directory`, which is made if it is not there. Throws `NodeError` if another process has locked it.
    ///
    /// - Parameter setting: The key of the configuration that another daemon would give another directory by.
    /// - Parameter mode: The mode of a directory that is made.
    public init(
        directory: String, setting: String = "runtime-directory", mode: mode_t = 0o755
    ) throws(NodeError) {
        if mkdir(directory, mode) == 0 {
            // Whoever may use a socket in it must come through, whatever the mask is; what is secret in it guards itself.
            _ = chmod(directory, mode)
        } else if errno != EEXIST {
            throw NodeError(errno: errno, "the directory \(directory) cannot be made")
        }
        file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw NodeError(errno: errno, "the directory \(directory) cannot be opened") }
        if flock(file, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            close(file)
            guard code == EWOULDBLOCK else {
                throw NodeError(errno: code, "the directory \(directory) cannot be locked")
            }
            throw NodeError(
                .alreadyRunning,
                "another daemon of this node runs and holds \(directory); stop it, or give this one a \(setting) of its own"
            )
        }
    }

    /// Locks the folder of the node's pins, `bpffs`, which is made with the folders above it: daemons with runtime directories of their own
    /// would take each other's flows for nobody's. No daemon runs without it.
    public static func pins(_ folder: String) throws(NodeError) -> InstanceLock {
        // If these cannot be made, the folder itself cannot, and the error says why.
        try? FileManager.default.createDirectory(
            atPath: URL(filePath: folder).deletingLastPathComponent().path, withIntermediateDirectories: true)
        do throws(NodeError) {
            return try InstanceLock(directory: folder, setting: "bpffs", mode: 0o750)
        } catch {
            if error.code == .alreadyRunning { throw error }
            throw NodeError(
                error.code, "\(error); see that bpffs is mounted (mount -t bpf bpf /sys/fs/bpf)")
        }
    }

    deinit { close(file) }
}
