// The options of every command on keys, and the files behind them.

import ArgumentParser
import FileStatus
import FoundationEssentials
import Glibc
import Routing
import SRTPKeys

/// The place of the keys.
struct KeyFileOptions: ParsableArguments {
    /// The user that the daemon runs as, who gets what an administrator makes.
    private static let daemonUser = "crosspoint"

    @Option(name: .long, help: ArgumentHelp("The directory of keys.", valueName: "path"))
    var directory = KeyPaths.defaultKeys

    func path(_ name: String) throws -> String {
        try RouteSpecification.validate(name: name)
        return "\(directory)/\(name)"
    }

    /// True if there is a key of the name.
    func exists(_ name: String) throws -> Bool { access(try path(name), F_OK) == 0 }

    /// The names of all keys.
    func names() throws -> [String] {
        guard access(directory, F_OK) == 0 else { return [] }
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory)
                .filter { !$0.hasSuffix(".new") && !$0.hasPrefix(".") }.sorted()
        } catch {
            throw CommandError("\(directory) cannot be read: \(String(cString: strerror(errno)))")
        }
    }

    /// The key of a name.
    func load(_ name: String) throws -> KeyMaterial {
        let path = try path(name)
        guard let data = FileManager.default.contents(atPath: path),
            let text = String(validating: data, as: UTF8.self)
        else { throw CommandError("\(path) cannot be read; run this as its owner") }
        do { return try KeyMaterial(text: text) } catch { throw CommandError("\(path) \(error)") }
    }

    /// Writes a key: made with mode 0600, for the daemon's user where there is one. A reader finds the old key or the new one.
    func save(_ key: KeyMaterial, as name: String) throws {
        let path = try path(name)
        func failure(_ path: String) -> CommandError {
            CommandError("\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        let user = getpwnam(Self.daemonUser)
        if mkdir(directory, 0o700) == 0 {
            if let user { _ = chown(directory, user.pointee.pw_uid, user.pointee.pw_gid) }
        } else if errno != EEXIST {
            throw failure(directory)
        }
        let old = FileStatus(of: path)
        let temporary = "\(path).\(getpid()).new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(temporary) }
        defer { close(file) }
        let bytes = Array((key.secretText + "\n").utf8)
        // Only the privileged can give files away; for others the file is their own anyway.
        if let old {
            _ = fchown(file, old.owner, old.group)
        } else if let user {
            _ = fchown(file, user.pointee.pw_uid, user.pointee.pw_gid)
        }
        guard write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0, rename(temporary, path) == 0 else {
            let problem = failure(path)
            unlink(temporary)
            throw problem
        }
    }
}
