// A directory for one test, which goes when the object goes.

import Glibc

/// A directory of mode 0700 under /tmp, with a path short enough for Unix sockets.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init() throws {
        var template = Array("/tmp/crosspoint-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemFailure("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { _ = try? Command.run(["rm", "-rf", path]) }
}
