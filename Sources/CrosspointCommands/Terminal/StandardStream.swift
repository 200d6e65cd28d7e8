// Standard output and standard error, written whole.

import Glibc

/// One of the program's standard streams.
struct StandardStream: Sendable {
    static let output = StandardStream(file: STDOUT_FILENO)
    static let error = StandardStream(file: STDERR_FILENO)

    private let file: Int32

    /// True if a person looks at it.
    var isTerminal: Bool { isatty(file) == 1 }

    /// True if colour is wanted: on a terminal that has it, unless NO_COLOR says otherwise (no-color.org).
    var wantsColour: Bool {
        func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
        return isTerminal && variable("NO_COLOR").isEmpty && variable("TERM") != "dumb"
    }

    /// The number of lines of the terminal; nil if it is none, or too low to cut anything for.
    var height: Int? {
        var size = winsize()
        guard ioctl(file, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 4 else { return nil }
        return Int(size.ws_row)
    }

    /// The number of columns of the terminal; nil if it is not one.
    var width: Int? {
        var size = winsize()
        guard isTerminal, ioctl(file, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Writes `text`. If nobody reads any more, the program ends: to continue would be of no use.
    func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                exit(ExitStatus.failed)
            }
            rest = rest.dropFirst(count)
        }
    }
}
