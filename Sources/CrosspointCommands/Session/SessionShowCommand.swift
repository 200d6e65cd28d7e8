// `crosspoint session show`.

import ArgumentParser
import FastPath
import Routing
import SIPAgent
import Sessions

/// Shows one session.
struct SessionShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one session: its peer, its streams with their routes and engine, and what to know of it.",
        discussion: """
            The notes say which fallback was taken or what was refused, and why. Of a SIP call, each stream is one direction: FROM \
            whom, what was LOST before it came here, its JITTER, and whether media comes as it was negotiated (ok, one-way, no media).

            With --messages, the messages of a SIP call are shown as a ladder, also of one of those that ended last; with --whole \
            they are written out, credentials and keys left out.

            EXAMPLES
              crosspoint session show SESSION
              crosspoint session show sip-12 --messages
              crosspoint session show sip-12 --messages --json | jq -r '.[].message'
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The session's name.", completion: .sessionName)
    var session: String

    @Flag(name: .long, help: "Show the messages of a SIP call instead.")
    var messages = false

    @Flag(name: .long, help: "Write the messages out; with --messages only.")
    var whole = false

    func validate() throws {
        if whole, !messages { throw ValidationError("--whole goes with --messages; write --messages --whole") }
    }

    func run() async throws {
        try SessionText.validate(name: session)
        let client = control.client
        if messages {
            let entries: [SIPLadderEntry] = try await client.send(.get, "/v1/sessions/\(session)/messages")
            return try output.print(entries) {
                MessageLadderText.text(entries, whole: whole, colour: StandardStream.output.wantsColour)
            }
        }
        let report: SessionReport = try await client.send(.get, "/v1/sessions/\(session)")
        let snapshot: StatisticsSnapshot = try await client.send(.get, "/v1/statistics")
        try output.print(report) {
            SessionText.details(report, snapshot, colour: StandardStream.output.wantsColour)
        }
    }
}
