// An errno, until somebody who knows what was tried makes a message of it.

import Glibc

/// A failed system call.
struct SystemError: Error, CustomStringConvertible {
    /// errno, positive.
    let code: CInt

    init(_ code: CInt) { self.code = code }

    var description: String { String(cString: strerror(code)) }
}
