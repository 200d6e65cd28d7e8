// The kernel's information on a file: stat(2).

public import Glibc

/// Kind, mode and owner of a file.
///
/// A module of its own: NIO has a C type of the same name, and where a module imports NIO too, the compiler takes `stat` for
/// that one or for Glibc's, depending on which of the module's files it compiles together.
public struct FileStatus: Hashable, Sendable {
    /// Permission bits, 0o000 to 0o7777.
    public let mode: mode_t
    /// The user and the group that it belongs to.
    public let owner: uid_t
    public let group: gid_t
    /// The kind of the file: a regular file, or a socket.
    public let isRegular: Bool
    public let isSocket: Bool
    /// The file's device and inode: together they are the file's identity.
    public let device: UInt64
    public let inode: UInt64
    /// The time of the last change of its contents, nanoseconds since 1970.
    public let modified: UInt64

    /// Of the file at `path`, behind symbolic links; nil if it cannot be read (`errno` says why).
    public init?(of path: String) {
        var record = stat()
        guard stat(path, &record) == 0 else { return nil }
        self.init(record)
    }

    /// Of the entry at `path` itself, a symbolic link too; nil if it cannot be read (`errno` says why).
    public init?(ofLink path: String) {
        var record = stat()
        guard lstat(path, &record) == 0 else { return nil }
        self.init(record)
    }

    /// Of an open file; nil if it cannot be read (`errno` says why).
    public init?(of descriptor: CInt) {
        var record = stat()
        guard fstat(descriptor, &record) == 0 else { return nil }
        self.init(record)
    }

    private init(_ record: stat) {
        mode = record.st_mode & 0o7777
        owner = record.st_uid
        group = record.st_gid
        isRegular = record.st_mode & S_IFMT == S_IFREG
        isSocket = record.st_mode & S_IFMT == S_IFSOCK
        device = UInt64(record.st_dev)
        inode = UInt64(record.st_ino)
        modified =
            UInt64(clamping: record.st_mtim.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: record.st_mtim.tv_nsec)
    }
}
