// `crosspoint session show`.

import ArgumentParser
import FastPath
import Routing
import Sessions

/// Shows one session.
struct SessionShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one session: its peer, its streams with their routes and engine, and what to know of it.",
        discussion: """
            The notes say which fallback was taken or what was refused, and why.

            EXAMPLE
              crosspoint session show SESSION
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The session's name.")
    var session: String

    func run() async throws {
        try SessionText.validate(name: session)
        let client = control.client
        let report: SessionReport = try await client.send(.get, "/v1/sessions/\(session)")
        let snapshot: StatisticsSnapshot = try await client.send(.get, "/v1/statistics")
        try output.print(report) {
            SessionText.details(report, snapshot, colour: StandardStream.output.wantsColour)
        }
    }
}
