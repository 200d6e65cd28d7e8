// Place at which the fast path of a daemon is pinned, for a reader that knows the daemon's socket only.

import FoundationEssentials

/// A symbolic link `fast-path` beside the control socket, to the folder of pins. It stays when the daemon dies.
struct FastPathLink {
    private let path: String

    init(besideSocket socket: String) {
        path = URL(filePath: socket).deletingLastPathComponent().appending(path: "fast-path").path
    }

    /// The folder of pins; nil when no daemon has been there.
    var target: String? { try? FileManager.default.destinationOfSymbolicLink(atPath: path) }

    /// Makes the link, or points it elsewhere.
    func point(to folder: String) throws {
        if target == folder { return }
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: folder)
    }
}
