// Writing of a record into its file.

import FoundationEssentials
import Glibc

/// A file of a journal.
enum JournalFile {
    /// Replaces a file, with mode 0600: a reader finds the old content or the new one, never half of one. A file that could not be written
    /// leaves nothing behind.
    ///
    /// Made with its mode, not given it afterwards: between the two somebody else could read it.
    static func write(_ data: Data, to path: String) throws(SystemError) {
        let temporary = path + ".new"
        let file = Glibc.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemError(errno) }
        let written = data.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        let isWritten = written == data.count && rename(temporary, path) == 0
        let code = written < 0 || written == data.count ? errno : ENOSPC
        close(file)
        guard isWritten else {
            unlink(temporary)
            throw SystemError(code)
        }
    }
}
