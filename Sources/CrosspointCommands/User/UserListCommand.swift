// `crosspoint user list`.

import ArgumentParser
import Authentication

/// Lists the users.
struct UserListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the users, their realms, and the algorithms they can authenticate with.",
        discussion: """
            EXAMPLE
              crosspoint user list --json
            """)

    @OptionGroup var users: UserFileOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let reports = UserReport.all(in: try users.load())
        try output.print(reports) { UserReport.table(reports).text(colour: StandardStream.output.wantsColour) }
    }
}
