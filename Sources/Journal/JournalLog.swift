// A journal in a file: appended to, and written again when most of it is history.

import Glibc

/// The reason for which a journal cannot be read or written.
public struct JournalError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, the problem and the remedy.
    public let description: String

    init(_ path: String, _ problem: String, _ code: CInt) {
        let reason = String(cString: strerror(code))
        let remedy =
            switch code {
            case ENOSPC, EDQUOT: "free space there"
            case EROFS: "mount it writable"
            case EACCES, EPERM: "check the owner and mode of its folder"
            case EMFILE, ENFILE: "raise LimitNOFILE of the service"
            default: "check the folder"
            }
        description = "journal \(path): \(problem): \(reason); \(remedy)"
    }
}

/// An append-only file of changes (`JournalLine`), with the state that they lead to in memory.
///
/// A batch is written by one call, so that a process that dies leaves all of it or nothing; a batch that cannot be written whole is cut
/// off again. The file is replaced by its state when it has grown to several times that: readers find the old file or the new one.
/// A journal whose file cannot be opened refuses changes until it can; what runs is not concerned.
public final class JournalLog {
    public let path: String
    public private(set) var contents: JournalContents
    private var length: Int
    private var compactedLength: Int
    private var file: CInt = -1

    /// A file shorter than this is not worth writing again.
    private static let smallest = 1 << 20

    /// Reads the journal at `path`; an empty one if there is none.
    public init(path: String) throws(JournalError) {
        self.path = path
        var bytes: [UInt8] = []
        let file = open(path, O_RDONLY | O_CLOEXEC)
        if file >= 0 {
            defer { close(file) }
            bytes = try Self.read(file, path)
        } else if errno != ENOENT {
            throw JournalError(path, "cannot be read", errno)
        }
        contents = JournalContents(bytes)
        length = contents.wholeLength
        compactedLength = length
    }

    deinit { if file >= 0 { close(file) } }

    private static func read(_ file: CInt, _ path: String) throws(JournalError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            guard count >= 0 else { throw JournalError(path, "cannot be read", errno) }
            if count == 0 { return bytes }
            bytes += buffer.prefix(count)
        }
    }

    /// Writes a batch of changes: all of them, or none.
    public func append(_ changes: [JournalChange]) throws(JournalError) {
        guard !changes.isEmpty else { return }
        var bytes = JournalLine.batch(changes.count).bytes
        for change in changes { bytes += JournalLine.change(change).bytes }
        try openFile()
        let written = write(file, bytes, bytes.count)
        guard written == bytes.count else {
            let code = written < 0 ? errno : ENOSPC
            // The part of it that was written must not precede the next batch.
            if ftruncate(file, off_t(length)) != 0 { closeFile() }
            throw JournalError(path, "cannot be written", code)
        }
        length += bytes.count
        changes.forEach { contents.take($0) }
        if length > max(Self.smallest, 4 * compactedLength) { try? compact() }
    }

    /// Writes the file again without its history. Where that fails the file stays as it is.
    public func compact() throws(JournalError) {
        let bytes = contents.compacted()
        let temporary = path + ".new"
        let new = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        guard new >= 0 else { throw JournalError(path, "cannot be written", errno) }
        guard write(new, bytes, bytes.count) == bytes.count, rename(temporary, path) == 0 else {
            let code = errno == 0 ? ENOSPC : errno
            close(new)
            unlink(temporary)
            throw JournalError(path, "cannot be written", code)
        }
        closeFile()
        file = new
        length = bytes.count
        compactedLength = bytes.count
    }

    /// Forgets the removed keys: they have left nothing behind.
    public func forgetRemoved() { contents.forgetRemoved() }

    private func openFile() throws(JournalError) {
        if file >= 0 { return }
        file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw JournalError(path, "cannot be written", errno) }
        // A batch that an earlier process did not finish.
        guard ftruncate(file, off_t(length)) == 0 else {
            let code = errno
            closeFile()
            throw JournalError(path, "cannot be written", code)
        }
    }

    private func closeFile() {
        if file >= 0 { close(file) }
        file = -1
    }
}
