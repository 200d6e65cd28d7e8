// `crosspoint hold`: the process that keeps sockets open while no daemon runs. Started by the daemon, not by people.

import ArgumentParser
import Routing

/// Holds joined and reserving sockets, so that groups are not left when the daemon dies.
struct HoldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Hold the daemon's sockets while it restarts (started by the daemon).",
        shouldDisplay: false)

    @Argument(help: "The socket by which the daemon comes and goes.") var socket: String

    func run() throws { try DescriptorHolder.run(socketPath: socket) }
}
