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
    var path: String { socket ?? Self.pathWithoutOption }

    private static var pathWithoutOption: String {
        getenv("CROSSPOINT_SOCKET").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
            ?? NodeConfiguration.defaultSocket
    }

    /// The socket's path for a command line that is not complete yet.
    static func path(in words: [String]) -> String {
        for (index, word) in words.enumerated() {
            if word == "--socket", index + 1 < words.count { return words[index + 1] }
            if word.hasPrefix("--socket=") { return String(word.dropFirst("--socket=".count)) }
        }
        return pathWithoutOption
    }

    /// True if neither the option nor the environment names a socket.
    var isDefault: Bool { socket == nil && path == NodeConfiguration.defaultSocket }

    /// A client of the daemon.
    var client: ControlClient { ControlClient(socket: path) }
}
