// The options of every command that talks to the daemon.

import ArgumentParser
import Glibc
import Node

/// The place of the daemon.
struct ControlOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The daemon's control socket. (default: $CROSSPOINT_SOCKET, or \(NodeConfiguration.defaultSocket))",
            valueName: "path"))
    var socket: String?

    /// The socket's path: the option, the environment, the default.
    var path: String {
        socket ?? getenv("CROSSPOINT_SOCKET").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
            ?? NodeConfiguration.defaultSocket
    }

    /// True if neither the option nor the environment names a socket.
    var isDefault: Bool { socket == nil && path == NodeConfiguration.defaultSocket }

    /// A client of the daemon.
    var client: ControlClient { ControlClient(socket: path) }
}
