// How a record gets into its file.

import FoundationEssentials
import Glibc

/// A file of a journal.
enum JournalFile {
    /// Writes a file anew, with mode 0600: a reader finds the old content or the new one, never half of one.
    ///
    /// Made with its mode, not given it afterwards: between the two somebody else could read it.
    static func write(_ data: Data, to path: String) throws(SystemError) {
        let temporary = path + ".new"
        let file = Glibc.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemError(errno) }
        defer { close(file) }
        let written = data.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        guard written == data.count else { throw SystemError(errno) }
        guard rename(temporary, path) == 0 else { throw SystemError(errno) }
    }
}
