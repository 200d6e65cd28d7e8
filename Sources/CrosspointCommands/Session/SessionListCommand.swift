// `crosspoint session list`.

import ArgumentParser
import FastPath
import Sessions

/// Lists the sessions.
struct SessionListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the sessions: who plays, who publishes, what is pulled from where, who calls whom.",
        discussion: """
            PACKETS counts what the fast path sent to a player, or what came from an upstream or a publisher, RTP and RTCP. LOST \
            counts, for a player, copies that its interface refused and packets that it read too slowly for (on TCP); for an \
            upstream or a publisher, RTP packets that were missing on arrival. Of a SIP call, PACKETS, LOST and JITTER have two \
            figures: what came from the caller / what came from the callee. '-' stands where nothing is carried. The STATE of an \
            answered call says one-way or no media where media that was negotiated does not come.

            EXAMPLES
              crosspoint session list
              crosspoint session list --json | jq '.[] | select(.kind == "rtsp-player") | .peer'
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = control.client
        let sessions: [SessionReport] = try await client.send(.get, "/v1/sessions")
        let snapshot: StatisticsSnapshot = try await client.send(.get, "/v1/statistics")
        try output.print(sessions) {
            SessionText.table(sessions, snapshot).text(colour: StandardStream.output.wantsColour)
        }
    }
}
