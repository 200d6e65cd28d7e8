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
            var command = try await CrosspointCommand.asyncParseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return ExitStatus.ok
        } catch let code as ExitCode {
            // What is to be said was printed.
            return code.rawValue
        } catch {
            return report(error, arguments)
        }
    }

    /// Says what went wrong, on one line of standard error; help and the like go to standard output.
    private static func report(_ error: any Error, _ arguments: [String]) -> Int32 {
        if let error = CommandError(describing: error, command: command(of: arguments)) {
            StandardStream.error.write("crosspoint: \(error.message.split(separator: "\n").joined(separator: " "))\n")
            return error.exitStatus
        }
        return ExitStatus.ok
    }

    /// The nouns and verbs that `arguments` begin with: `route add`.
    private static func command(of arguments: [String]) -> String {
        var words: [String] = []
        var type: any ParsableCommand.Type = CrosspointCommand.self
        for argument in arguments {
            guard let next = type.configuration.subcommands.first(where: { $0.configuration.commandName == argument })
            else { break }
            words.append(argument)
            type = next
        }
        return words.joined(separator: " ")
    }
}
