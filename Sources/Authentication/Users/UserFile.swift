// The file of users on disk, which nobody but its owner may read.

import Glibc

/// Reads and replaces files of users.
public enum UserFile {
    /// The most bytes that are read.
    static let maximumBytes = 16 << 20

    /// Reads the users in the file at `path`. Throws if others may read or write it: a hash is as good as the password.
    public static func load(_ path: String) throws(UserDatabaseError) -> UserDatabase {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure(path, "cannot be read") }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure(path, "cannot be read") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw UserDatabaseError(file: path, problem: "is not a regular file; name a file of 'crosspoint user add'")
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw UserDatabaseError(
                file: path, problem: "is open to others than its owner (mode 0\(mode)); run 'chmod 600 \(path)'")
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count == 0 { break }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw failure(path, "cannot be read")
            }
            bytes += chunk[..<count]
            guard bytes.count <= maximumBytes else {
                throw UserDatabaseError(file: path, problem: "has more than \(maximumBytes) bytes; split it")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw UserDatabaseError(file: path, problem: "is not UTF-8 text; save it as UTF-8")
        }
        return try UserDatabase(parsing: text, file: path)
    }

    /// True if there is a file at `path`.
    public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Replaces the file at `path`, or makes it: mode 0600, owned by who owned it. A new one gets the owner of that name,
    /// if there is one, so that the daemon can read what an administrator wrote. Readers see the old file or the new one.
    public static func save(_ users: UserDatabase, to path: String, newOwner: String? = nil) throws(UserDatabaseError) {
        var target = path
        if let name = realpath(path, nil) {
            target = String(cString: name)
            free(name)
        }
        let temporary = "\(target).\(getpid()).new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(temporary, "cannot be written") }
        do throws(UserDatabaseError) {
            defer { close(file) }
            try write(Array(users.text.utf8), to: file, path: temporary)
            var owner = stat()
            // Only the privileged can give files away; for others the file is their own anyway.
            if stat(target, &owner) == 0 {
                _ = fchown(file, owner.st_uid, owner.st_gid)
            } else if let newOwner, let entry = getpwnam(newOwner) {
                _ = fchown(file, entry.pointee.pw_uid, entry.pointee.pw_gid)
            }
            if fsync(file) != 0 { throw failure(temporary, "cannot be written") }
            if rename(temporary, target) != 0 { throw failure(path, "cannot be replaced") }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static func write(_ bytes: [UInt8], to file: CInt, path: String) throws(UserDatabaseError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard count >= 0 else {
                if errno == EINTR { continue }
                throw failure(path, "cannot be written")
            }
            rest = rest.dropFirst(count)
        }
    }

    private static func failure(_ path: String, _ what: String) -> UserDatabaseError {
        UserDatabaseError(file: path, problem: "\(what): \(String(cString: strerror(errno)))")
    }
}
