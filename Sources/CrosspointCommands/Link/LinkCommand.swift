// `crosspoint link`.

import ArgumentParser

/// Flows between two nodes, encrypted on the way.
struct LinkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "link", abstract: "Carry flows to another node encrypted.",
        discussion: """
            Two nodes with one link key carry flows encrypted between them, and plain on both studio networks: a leg of the sending node \
            is encrypted, and a route of the receiving node decrypts. Each start of each flow derives a key of its own; nothing has \
            to be told to the other node but the link key.

            A flow of a link goes one way, and has the same name on both nodes: the name of the route, or --flow.

            EXAMPLE
              both nodes    crosspoint key add wan < wan.key          (made by 'crosspoint key new wan --link' on one of them)
              sending       crosspoint link send cam1 --to 198.51.100.2:5004@wan0 --key wan
              receiving     crosspoint link receive cam1 --from 198.51.100.2:5004@wan0 --to 239.1.1.10:5004@eth1 --key wan
            """,
        subcommands: [LinkSendCommand.self, LinkReceiveCommand.self])
}
