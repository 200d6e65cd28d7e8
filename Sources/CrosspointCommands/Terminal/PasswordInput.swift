// Passwords, which must not stand in arguments, where every process of the host sees them.

import Glibc

/// Reads a password from standard input.
enum PasswordInput {
    /// In bytes.
    private static let maximumLength = 1024

    /// The password: the first line of standard input if `fromStandardInput` is set, else what a person types at a terminal, unseen.
    /// Throws if there is neither.
    static func read(fromStandardInput: Bool, prompt: String) throws(CommandError) -> String {
        if fromStandardInput { return try line() }
        guard isatty(STDIN_FILENO) == 1 else {
            throw .usage(
                "\(prompt): there is no terminal to ask at; give the password on standard input, --password-stdin")
        }
        var shown = termios()
        guard tcgetattr(STDIN_FILENO, &shown) == 0 else {
            throw CommandError("the terminal cannot be told to hide a password; use --password-stdin")
        }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        StandardStream.error.write("\(prompt): ")
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown)
            StandardStream.error.write("\n")
        }
        return try line()
    }

    private static func line() throws(CommandError) -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while Glibc.read(STDIN_FILENO, &byte, 1) == 1, byte != 0x0a {
            guard bytes.count < maximumLength else {
                throw .usage("the password on standard input is longer than \(maximumLength) bytes")
            }
            bytes.append(byte)
        }
        if bytes.last == 0x0d { bytes.removeLast() }
        guard let password = String(validating: bytes, as: UTF8.self), !password.isEmpty else {
            throw .usage("standard input has no password on its first line")
        }
        return password
    }
}
