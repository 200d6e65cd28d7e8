// Errors that end a command early: one line, and an exit code.

import AgentSupport
import ArgumentParser
import FastPath
import Netlink
import Node
import Qualification
import Routing

/// A command that could not do what it was asked.
struct CommandError: Error, Hashable, CustomStringConvertible {
    /// The problem, its place, and the remedy.
    var message: String
    /// The exit code of the program.
    var exitStatus: Int32

    init(_ message: String, exitStatus: Int32 = ExitStatus.failed) {
        self.message = message
        self.exitStatus = exitStatus
    }

    var description: String { message }

    /// An argument that cannot be.
    static func usage(_ message: String) -> CommandError { CommandError(message, exitStatus: ExitStatus.usage) }

    /// A route that the statistics do not have.
    static func unknown(route: String) -> CommandError {
        CommandError("there is no route '\(route)' in the fast path; 'crosspoint route list' lists the routes")
    }

    /// The command error that `error` amounts to. Nil if it is none: help or a version was asked for, and has been printed.
    /// `command` is the command that was asked for, whose help a usage error points to.
    init?(describing error: any Error, command: String = "") {
        switch error {
        case let error as CommandError: self = error
        case let error as NodeError:
            self.init(
                error.description,
                exitStatus: error.code == .notPermitted ? ExitStatus.notPermitted : ExitStatus.failed)
        case let error as FastPathError:
            self.init(
                error.message, exitStatus: error.kind == .privileges ? ExitStatus.notPermitted : ExitStatus.failed)
        case let error as NetlinkError: self.init(error.description)
        case let error as SpecificationError: self = .usage(error.description)
        case let error as RoutingError: self.init(error.message)
        case let error as ConfigurationError: self.init(error.description)
        case let error as QualificationError:
            let statuses: [QualificationError.Kind: Int32] = [
                .usage: ExitStatus.usage, .privileges: ExitStatus.notPermitted, .failed: ExitStatus.failed,
            ]
            self.init(error.message, exitStatus: statuses[error.kind] ?? ExitStatus.failed)
        default:
            let code = CrosspointCommand.exitCode(for: error)
            if code.isSuccess {
                StandardStream.output.write(CrosspointCommand.fullMessage(for: error) + "\n")
                return nil
            }
            self.init(
                code == .validationFailure
                    ? CrosspointCommand.message(for: error)
                        + "; see 'crosspoint help\(command.isEmpty ? "" : " \(command)")'" : ErrorText.of(error),
                exitStatus: code.rawValue)
        }
    }
}
