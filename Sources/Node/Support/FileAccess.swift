// Check that a file that the configuration names can be used: it is there, it can be read, and a secret one is kept so.

import FileStatus
import Glibc

/// Looks at files without keeping what they hold.
public enum FileAccess {
    /// The reason for which the daemon cannot use the file at `path`, with the remedy; nil if it can. A secret one must
    /// not be readable by others than its owner and its group.
    public static func problem(of path: String, isSecret: Bool) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            let code = errno
            let remedy =
                code == ENOENT ? "name one that is there" : "let the daemon's user read it, or run this as that user"
            return "'\(path)' cannot be read (\(String(cString: strerror(code)))); \(remedy)"
        }
        defer { close(file) }
        guard let status = FileStatus(of: file), status.isRegular else {
            return "'\(path)' is no file; name a file"
        }
        guard !isSecret || status.mode & 0o007 == 0 else {
            return
                "'\(path)' is secret and everybody on this host can read it (mode \(mode(status))); chmod o= '\(path)'"
        }
        return nil
    }

    /// True if others than its owner and its group can read the file at `path`; false where it is not there.
    public static func isReadableByOthers(_ path: String) -> Bool {
        FileStatus(of: path).map { $0.mode & 0o004 != 0 } ?? false
    }

    private static func mode(_ status: FileStatus) -> String {
        let digits = String(status.mode & 0o777, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
