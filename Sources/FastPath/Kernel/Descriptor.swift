// The owner of one file descriptor.

import Glibc

/// Owns a file descriptor and closes it in the end.
final class Descriptor: Sendable {
    /// The descriptor's number; valid as long as this object lives.
    let number: CInt

    /// Takes over `number`.
    init(owning number: CInt) { self.number = number }

    deinit { close(number) }
}

/// The text of an error number of the kernel: `Operation not permitted (EPERM)`'s first part.
func errorText(_ number: CInt) -> String {
    String(cString: strerror(number < 0 ? -number : number))
}
