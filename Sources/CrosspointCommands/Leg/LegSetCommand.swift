// `crosspoint leg set`.

import ArgumentParser
import Node
import Routing

/// Replaces a leg.
struct LegSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Replace a leg of a route by another, under the same number.",
        discussion: """
            The new endpoint replaces the old one whole: keys that are left out have their default again.

            \(EndpointHelp.leg)

            EXAMPLE
              crosspoint leg set cam1 2 10.2.0.6:5004@eth1,dscp=AF41
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The route's name.", completion: .routeName)
    var route: String

    @Argument(help: "The leg's number, or where it goes now.")
    var leg: String

    @Argument(help: "Where a copy goes from now on.")
    var to: String

    func run() async throws {
        try RouteSpecification.validate(name: route)
        let request = LegRequest(to: try LegSpecification(to))
        let number = try await LegFinder.number(of: leg, in: route, control.client)
        let report: LegReport = try await control.client.send(
            .put, "/v1/routes/\(route)/legs/\(number)", body: request)
        try output.print(report) { RouteText.summary(report, of: route, verb: "set") }
    }
}
