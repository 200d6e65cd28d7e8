// Source of the text of a key: never an argument, which others could see.

import ArgumentParser
import FoundationEssentials
import Glibc
import SRTPKeys

/// A file, a variable of the environment, or standard input.
struct KeyInput: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Read the key from a file.", valueName: "file"))
    var file: String?

    @Option(name: .long, help: ArgumentHelp("Read the key from a variable of the environment.", valueName: "variable"))
    var environment: String?

    private static let maximumBytes = 4096

    func validate() throws {
        guard file == nil || environment == nil else {
            throw ValidationError("--file and --environment: name one of them")
        }
    }

    /// The key that was given.
    func read() throws -> KeyMaterial {
        let (text, place) = try text()
        do { return try KeyMaterial(text: text) } catch { throw CommandError("the key of \(place) \(error)") }
    }

    private func text() throws -> (text: String, place: String) {
        if let environment {
            guard let value = ProcessInfo.processInfo.environment[environment] else {
                throw CommandError("there is no variable \(environment) in the environment; set it, or use --file")
            }
            return (value, environment)
        }
        if let file {
            guard let data = FileManager.default.contents(atPath: file), data.count <= Self.maximumBytes,
                let text = String(validating: data, as: UTF8.self)
            else { throw CommandError("\(file) cannot be read as the text of a key; name another file") }
            return (text, file)
        }
        guard isatty(STDIN_FILENO) == 0 else {
            throw CommandError(
                "the key is read from standard input, and a terminal would show it; use '< FILE', a pipe, --file or --environment"
            )
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: Self.maximumBytes + 1)
        while bytes.count <= Self.maximumBytes {
            let count = Glibc.read(STDIN_FILENO, &chunk, chunk.count)
            if count == 0 { break }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw CommandError("standard input cannot be read: \(String(cString: strerror(errno)))")
            }
            bytes += chunk[..<count]
        }
        guard bytes.count <= Self.maximumBytes, let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandError("standard input is no text of a key; give PROFILE inline:BASE64")
        }
        return (text, "standard input")
    }
}
