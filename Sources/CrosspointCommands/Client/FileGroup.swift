// The group that a file belongs to, by name.

import FileStatus
import Glibc

/// Looks up the groups of files.
enum FileGroup {
    /// The name of the group of the file at `path`; nil if it cannot be found out.
    static func name(of path: String) -> String? {
        guard let status = FileStatus(of: path) else { return nil }
        var entry = group()
        var result: UnsafeMutablePointer<group>?
        var buffer = [CChar](repeating: 0, count: 65_536)
        guard getgrgid_r(status.group, &entry, &buffer, buffer.count, &result) == 0, result != nil,
            let name = entry.gr_name
        else { return nil }
        return String(cString: name)
    }
}
