// `crosspoint key remove`.

import ArgumentParser
import Glibc

/// Removes a key.
struct KeyRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a key.",
        discussion: "Routes that use it go on with it until the daemon ends, and cannot be installed again.")

    @Argument(help: "The key's name.")
    var name: String

    @OptionGroup var files: KeyFileOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let path = try files.path(name)
        guard unlink(path) == 0 else {
            let code = errno
            throw CommandError(
                code == ENOENT
                    ? "key \(name): there is none in \(files.directory); 'crosspoint key list' shows all"
                    : "\(path) cannot be removed: \(String(cString: strerror(code)))")
        }
        try output.print(["removed": name]) { "key \(name) removed from \(files.directory)\n" }
    }
}
