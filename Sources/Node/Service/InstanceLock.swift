// One daemon per directory: a lock that the kernel gives back when its holder dies.

import Glibc

/// An exclusive lock on a directory, held as long as the value lives.
///
/// Take it before anything of the node is touched. `flock` binds it to the open file, so a daemon that is killed leaves no stale lock.
public final class InstanceLock: Sendable {
    private let file: CInt

    /// Locks `directory`, which is made if it is not there. Throws `NodeError` if another process has locked it.
    public init(directory: String) throws(NodeError) {
        if mkdir(directory, 0o755) == 0 {
            // Whoever may use a socket in it must come through, whatever the mask is; what is secret in it guards itself.
            _ = chmod(directory, 0o755)
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
                "another daemon of this node runs and holds \(directory); stop it, or give this one a runtime-directory of its own"
            )
        }
    }

    deinit { close(file) }
}
