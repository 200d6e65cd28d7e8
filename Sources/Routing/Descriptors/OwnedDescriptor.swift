// A file descriptor that closes itself.

import Glibc

/// Owns a file descriptor, and closes it when the last reference goes.
public final class OwnedDescriptor: Sendable {
    /// The number, valid as long as this object lives.
    public let number: CInt

    /// Takes over an open descriptor: nobody else may close it.
    public init(owning number: CInt) {
        precondition(number >= 0, "not a file descriptor: \(number)")
        self.number = number
    }

    deinit { close(number) }
}
