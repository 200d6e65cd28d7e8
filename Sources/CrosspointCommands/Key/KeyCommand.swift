// `crosspoint key`.

import ArgumentParser

/// Keys of SRTP, by name.
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Add, make, list and remove keys of SRTP.",
        discussion: """
            Routes name a key (srtp=NAME behind a source or a leg) and never hold it, so that they can be shown and saved. A key is \
            a file of its name that only its owner may read, in the daemon's keys-directory.

            A key that is changed comes into use with 'crosspoint config reload', or when a route or leg that names it is added.
            """,
        subcommands: [KeyNewCommand.self, KeyAddCommand.self, KeyListCommand.self, KeyRemoveCommand.self])
}
