// `crosspoint user`: the noun.

import ArgumentParser

/// The commands on the file of users.
struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Add, list and remove the users who may ask this node for sessions.",
        discussion: """
            Users stand in a file, which these commands change without a daemon. It holds no passwords, but hashes that are \
            as good as passwords for the realm they are for, so nobody but its owner may read it.
            """,
        subcommands: [UserAddCommand.self, UserListCommand.self, UserRemoveCommand.self])
}
