// `crosspoint rtsp route list`.

import ArgumentParser
import RTSPProxy

/// Lists the proxy's routes.
struct RTSPRouteListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List what players find, in the order in which it is tried.",
        discussion: """
            STATE is idle (nobody plays), connecting, live, or waiting (for the upstream to come back, or for a publisher); \
            'crosspoint rtsp route show ROUTE' says why.

            EXAMPLE
              crosspoint rtsp route list --json
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let reports: [RTSPRouteReport] = try await control.client.send(.get, "/v1/rtsp/routes")
        try output.print(reports) { RTSPRouteText.table(reports).text(colour: StandardStream.output.wantsColour) }
    }
}
