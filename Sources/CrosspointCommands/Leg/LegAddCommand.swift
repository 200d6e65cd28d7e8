// `crosspoint leg add`.

import ArgumentParser
import Node
import Routing

/// Adds a leg.
struct LegAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a leg to a route.",
        discussion: """
            \(EndpointHelp.leg)

            EXAMPLE
              crosspoint leg add cam1 239.9.9.1:5004@eth1,ttl=16,dscp=AF41
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The route's name.", completion: .routeName)
    var route: String

    @Argument(help: "Where a copy goes.")
    var to: String

    @Flag(name: .long, help: "Add it even if its port has no room for it, or another route sends there.")
    var force = false

    func run() async throws {
        try RouteSpecification.validate(name: route)
        let request = LegRequest(to: try LegSpecification(to), force: force)
        let leg: LegReport = try await control.client.send(.post, "/v1/routes/\(route)/legs", body: request)
        try output.print(leg) { RouteText.summary(leg, of: route, verb: "added") }
    }
}
