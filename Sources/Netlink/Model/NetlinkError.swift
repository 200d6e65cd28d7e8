// Operation that the kernel refused, and the reason.

import Glibc

/// A request to the kernel's network configuration that failed.
public struct NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The operation that was asked for: `list interfaces`, `route to 10.2.0.5 through eth1`.
    public var operation: String
    /// The kernel's errno, positive.
    public var code: CInt
    /// The addition of the kernel or this module: the reason, the remedy.
    public var detail: String?

    public init(operation: String, code: CInt, detail: String? = nil) {
        self.operation = operation
        self.code = code
        self.detail = detail
    }

    /// One line: operation, reason, remedy.
    public var description: String {
        let reason = String(cString: strerror(code))
        return detail.map { "\(operation): \($0) (\(reason))" } ?? "\(operation): \(reason)"
    }

    /// True if no way leads to the destination, as opposed to a failure to find out.
    public var isUnreachable: Bool {
        [ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, ENETDOWN].contains(code)
    }

    /// An answer of the kernel that does not keep to the format.
    static func malformed(_ operation: String) -> NetlinkError {
        NetlinkError(operation: operation, code: EBADMSG, detail: "the kernel's answer is malformed")
    }
}
