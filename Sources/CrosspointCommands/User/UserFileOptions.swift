// The option of every command on users.

import ArgumentParser
import Authentication

/// The file that holds the users.
struct UserFileOptions: ParsableArguments {
    /// The user that the daemon runs as, who gets a file that an administrator makes.
    private static let daemonUser = "crosspoint"

    @Option(name: .long, help: ArgumentHelp("The file.", valueName: "path"))
    var file = "/etc/crosspoint/users"

    /// Reads the file.
    func load() throws -> UserDatabase { try UserFile.load(file) }

    /// Replaces the file, or makes it.
    func save(_ users: UserDatabase) throws { try UserFile.save(users, to: file, newOwner: Self.daemonUser) }
}
