// A password from standard input, which never shows it.

import Glibc

/// Reads passwords.
struct PasswordInput {
    /// Standard input; prompts go to standard error.
    static var standard: PasswordInput { PasswordInput(file: STDIN_FILENO) { StandardStream.error.write($0) } }

    /// The most bytes that a password may have.
    static let maximumBytes = 1024
    private static let interrupt: UInt8 = 3

    /// The descriptor to read from.
    let file: Int32
    /// Shows a text to who types.
    let prompt: (String) -> Void

    /// True if a person can be asked.
    var isTerminal: Bool { isatty(file) == 1 }

    /// The password of `user`: the first line, or from a terminal what was typed there, twice where it `isNew`.
    func read(for user: String, isNew: Bool) throws(CommandError) -> String {
        guard isTerminal else { return try password(line()) }
        var settings = termios()
        guard tcgetattr(file, &settings) == 0 else {
            throw CommandError("the terminal cannot be read: \(String(cString: strerror(errno)))")
        }
        var silent = settings
        // Without signals, Control-C cannot end the program while the terminal is silent; it ends the line instead.
        silent.c_lflag &= ~tcflag_t(ECHO | ISIG)
        withUnsafeMutableBytes(of: &silent.c_cc) { $0[Int(VEOL)] = Self.interrupt }
        tcsetattr(file, TCSAFLUSH, &silent)
        defer {
            tcsetattr(file, TCSAFLUSH, &settings)
            prompt("\n")
        }
        prompt("Password of \(user): ")
        let first = try password(line())
        guard isNew else { return first }
        prompt("\nThe same again: ")
        guard try line() == Array(first.utf8) else {
            throw CommandError("the two passwords are not the same; type them again")
        }
        return first
    }

    private func password(_ line: [UInt8]) throws(CommandError) -> String {
        guard let text = String(validating: line, as: UTF8.self), !line.contains(0) else {
            throw CommandError("the password is not UTF-8 text; use another one")
        }
        guard !text.isEmpty else { throw CommandError("the password is empty; give one on standard input") }
        return text
    }

    /// The next line, without its end. Bytes are read one by one, so that the next line stays for the next call.
    private func line() throws(CommandError) -> [UInt8] {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = Glibc.read(file, &byte, 1)
            if count < 0 {
                if errno == EINTR { continue }
                throw CommandError("the password cannot be read: \(String(cString: strerror(errno)))")
            }
            if count == 0 || byte == UInt8(ascii: "\n") { break }
            if byte == Self.interrupt { throw CommandError("no password was given; nothing is changed") }
            guard line.count < Self.maximumBytes else {
                throw CommandError("the password has more than \(Self.maximumBytes) bytes; use a shorter one")
            }
            line.append(byte)
        }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return line
    }
}
