// The user that a file belongs to: of the control socket, the daemon's.

import FileStatus
import Glibc

/// Looks up the owners of files.
enum FileOwner {
    /// The user identifier of the owner of the file at `path`; nil if it cannot be found out.
    static func identifier(of path: String) -> uid_t? {
        FileStatus(of: path)?.owner
    }
}
