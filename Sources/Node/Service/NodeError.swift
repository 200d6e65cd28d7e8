// Reasons for which the daemon cannot run.

import Glibc

/// A reason not to start, on one line, with the remedy.
public struct NodeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of reason.
    public enum Code: Hashable, Sendable {
        /// Another daemon has what this one needs.
        case alreadyRunning
        /// A privilege is missing.
        case notPermitted
        /// Something else.
        case failed
    }

    public var code: Code
    public var description: String

    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// The reason that goes with a failed system call.
    init(errno code: CInt, _ what: String) {
        let isPrivilege = code == EACCES || code == EPERM
        self.init(
            isPrivilege ? .notPermitted : .failed,
            "\(what): \(String(cString: strerror(code)))"
                + (isPrivilege ? "; run it as root or as the daemon's user" : ""))
    }
}
