// A system call that failed in a test's own scaffolding.

import Glibc

/// A failed system call: what was tried, and errno.
public struct SystemFailure: Error, CustomStringConvertible {
    public let operation: String
    public let error: CInt

    public init(_ operation: String, error: CInt? = nil) {
        let error = error ?? errno
        self.operation = operation
        self.error = error
    }

    public var description: String { "\(operation): \(String(cString: strerror(error)))" }
}
