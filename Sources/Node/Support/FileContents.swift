// Whole files: read, and replaced so that readers see the old one or the new one.

import FileStatus
import Glibc

/// Reads and replaces whole files.
enum FileContents {
    /// A system call that failed.
    struct Failure: Error {
        /// The kernel's reason, `No such file or directory`.
        let reason: String

        init(errno code: CInt) { reason = String(cString: strerror(code)) }
    }

    /// All bytes of the file at `path`.
    static func read(_ path: String) throws(Failure) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Failure(errno: errno) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw Failure(errno: errno)
            }
            bytes += chunk[..<count]
        }
    }

    /// Replaces the file at `path`, which keeps its mode and owner, by one that holds `text`. What the text is is on the disk before the
    /// name points to it. A new file and a secret one, which its owner alone may read, belong to `reader` where this process may give
    /// files away.
    static func replace(
        _ path: String, with text: String, isSecret: Bool = false, reader: uid_t? = nil
    ) throws(Failure) {
        let old = FileStatus(of: path)
        let target = old == nil ? path : resolved(path)
        let temporary = "\(target).\(getpid()).new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, isSecret ? 0o600 : 0o640)
        guard file >= 0 else { throw Failure(errno: errno) }
        do throws(Failure) {
            defer { close(file) }
            try write(text, to: file)
            // The owner can be given away by the privileged only; the mode is what readers depend on.
            if let old {
                _ = fchown(file, old.owner, old.group)
                if fchmod(file, isSecret ? 0o600 : old.mode & 0o777) != 0 { throw Failure(errno: errno) }
            }
            if isSecret || old == nil, let reader { _ = fchown(file, reader, gid_t.max) }
            if fsync(file) != 0 { throw Failure(errno: errno) }
            if rename(temporary, target) != 0 { throw Failure(errno: errno) }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static func write(_ text: String, to file: CInt) throws(Failure) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard count >= 0 else {
                if errno == EINTR { continue }
                throw Failure(errno: errno)
            }
            rest = rest.dropFirst(count)
        }
    }

    /// The file that a symbolic link at `path` leads to, so that the link stays one.
    private static func resolved(_ path: String) -> String {
        guard let name = realpath(path, nil) else { return path }
        defer { free(name) }
        return String(cString: name)
    }
}
