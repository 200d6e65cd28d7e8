// `crosspoint route list`.

import ArgumentParser
import Routing

/// Lists the routes.
struct RouteListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the routes: sources, legs, and who keeps them.",
        discussion: """
            SENDING counts the legs that are in the fast path; 'crosspoint route show ROUTE' says why a leg is not. STATE is live; \
            refused for a route that is wanted and waits for the network to change; quarantined for one that goes on as it was \
            found and is not understood. 'differs from file' marks a route of the configuration file that was changed at run time.

            EXAMPLE
              crosspoint route list --json
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let reports: [RouteReport] = try await control.client.send(.get, "/v1/routes")
        try output.print(reports) { RouteText.table(reports).text(colour: StandardStream.output.wantsColour) }
    }
}
