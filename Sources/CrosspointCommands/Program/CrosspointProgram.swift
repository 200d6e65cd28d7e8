// The program as a whole: arguments in, exit code out, and one line for everything that goes wrong.

import ArgumentParser
import Glibc
import Node
import Routing

/// The program 'crosspoint'.
public enum CrosspointProgram {
    /// Runs the command that the program's arguments name, and ends the process.
    public static func main() async -> Never {
        let code = await run(Array(CommandLine.arguments.dropFirst()))
        exit(code)
    }

    /// Runs the command that `arguments` name, and returns the exit code.
    static func run(_ arguments: [String]) async -> Int32 {
        do {
            var command = try CrosspointCommand.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return ExitStatus.ok
        } catch {
            return report(error)
        }
    }

    /// Says what went wrong, on one line of standard error; help and the like go to standard output.
    private static func report(_ error: any Error) -> Int32 {
        let error = CommandError(describing: error)
        if let error {
            StandardStream.error.write("crosspoint: \(error.message.split(separator: "\n").joined(separator: " "))\n")
            return error.exitStatus
        }
        return ExitStatus.ok
    }
}
