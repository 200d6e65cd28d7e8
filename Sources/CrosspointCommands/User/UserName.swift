// A user of a realm, as arguments.

import ArgumentParser
import Authentication

/// The user and the realm.
struct UserName: ParsableArguments {
    @Argument(help: "The user's name.")
    var name: String

    @Option(name: .long, help: "The realm, which clients show to who is asked for a password.")
    var realm = "crosspoint"

    func validate() throws {
        do { try UserDatabase.validate(user: name, realm: realm) } catch { throw ValidationError(error.description) }
    }

    /// `user anna of realm crosspoint`
    var text: String { "user \(name) of realm \(realm)" }
}
