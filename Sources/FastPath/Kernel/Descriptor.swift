// The owner of one file descriptor.

import Glibc

/// Owns a file descriptor and closes it in the end.
package final class Descriptor: Sendable {
    private let number: CInt

    /// Takes over `number`.
    package init(owning number: CInt) { self.number = number }

    deinit { close(number) }

    /// Calls `body` with the number, which is open until it returns. A number that outlived its owner would be closed,
    /// or somebody else's.
    package func use<Result, Failure: Error>(
        _ body: (CInt) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(number)
    }
}

/// The text of an error number of the kernel, positive or negative: `Operation not permitted`; with the remedy where that is the same
/// whatever was tried.
package func errorText(_ number: CInt) -> String {
    let code = number == .min ? CInt.max : abs(number)
    let remedy = [EMFILE, ENFILE].contains(code) ? "; raise LimitNOFILE of the service" : ""
    return String(cString: strerror(code)) + remedy
}
