// `crosspoint route show`.

import ArgumentParser
import Routing

/// Shows one route.
struct RouteShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one route: its settings, and each leg with its state and next hop.",
        discussion: """
            EXAMPLE
              crosspoint route show cam1
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The route's name.", completion: .routeName)
    var route: String

    func run() async throws {
        try RouteSpecification.validate(name: route)
        let report: RouteReport = try await control.client.send(.get, "/v1/routes/\(route)")
        try output.print(report) { RouteText.details(report, colour: StandardStream.output.wantsColour) }
    }
}
