// `crosspoint user remove`.

import ArgumentParser
import Authentication

/// Removes a user.
struct UserRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a user from a realm.",
        discussion: """
            EXAMPLE
              crosspoint user remove anna --realm studio
            """)

    @OptionGroup var user: UserName
    @OptionGroup var users: UserFileOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        var database = try users.load()
        guard database.remove(user: user.name, realm: user.realm) else {
            throw CommandError("there is no \(user.text) in \(users.file); 'crosspoint user list' lists the users")
        }
        try users.save(database)
        try output.print(["removed": user.name, "realm": user.realm, "file": users.file]) {
            "\(user.text) removed from \(users.file)\n"
        }
    }
}
