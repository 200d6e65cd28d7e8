// `crosspoint session close`.

import ArgumentParser

/// Closes sessions.
struct SessionCloseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close", abstract: "End sessions; their media is out of the fast path when the command returns.",
        discussion: """
            A player may come back at once: remove its route or its permission first if it shall not. A SIP call is hung up on \
            both sides.

            EXAMPLE
              crosspoint session close SESSION
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The sessions' names.", completion: .sessionName)
    var sessions: [String]

    func run() async throws {
        for session in sessions { try SessionText.validate(name: session) }
        for session in sessions { try await control.client.send(.delete, "/v1/sessions/\(session)") }
        try output.print(["closed": sessions]) { sessions.map { "session \($0) closed\n" }.joined() }
    }
}
