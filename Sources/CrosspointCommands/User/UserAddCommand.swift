// `crosspoint user add`.

import ArgumentParser
import Authentication

/// Adds a user, or changes a password.
struct UserAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a user, or change a user's password.",
        discussion: """
            The password is read from standard input: at a terminal it is asked for twice and not shown, otherwise it is the \
            first line. It is never an argument, which others could see. A new file belongs to the user 'crosspoint' if \
            there is one, so that the daemon can read it.

            EXAMPLES
              crosspoint user add anna
              pass show studio/anna | crosspoint user add anna --realm studio --file ./users
            """)

    @OptionGroup var user: UserName
    @OptionGroup var users: UserFileOptions
    @OptionGroup var output: OutputOptions

    func run() throws { try add(password: PasswordInput.standard.read(for: user.name, isNew: true)) }

    /// Keeps `password` for the user.
    func add(password: String) throws {
        var database = UserFile.exists(users.file) ? try users.load() : UserDatabase()
        let isNew = !database.keys.contains { $0.user == user.name && $0.realm == user.realm }
        try database.set(user: user.name, realm: user.realm, password: password)
        try users.save(database)
        try output.print(["user": user.name, "realm": user.realm, "file": users.file]) {
            "\(user.text) \(isNew ? "added to" : "changed in") \(users.file)\n"
        }
    }
}
