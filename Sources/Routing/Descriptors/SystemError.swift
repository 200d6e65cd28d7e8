// An errno, until somebody who knows what was tried makes a message of it.

import FastPath
import Glibc

/// A failed system call.
struct SystemError: Error, CustomStringConvertible {
    /// errno, positive.
    let code: CInt

    /// The text to use instead of the system's words.
    let text: String?

    init(_ code: CInt, _ text: String? = nil) {
        self.code = code
        self.text = text
    }

    var description: String { text ?? errorText(code) }
}
