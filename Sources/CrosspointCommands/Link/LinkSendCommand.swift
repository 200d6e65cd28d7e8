// `crosspoint link send`.

import ArgumentParser
import Node
import Routing

/// Adds an encrypted leg to a route.
struct LinkSendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Send a route's packets to another node, encrypted.",
        discussion: """
            Adds a leg to the route; 'crosspoint leg remove' takes it away.

            \(EndpointHelp.leg)

            EXAMPLE
              crosspoint link send cam1 --to 198.51.100.2:5004@wan0 --key wan
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The route's name.", completion: .routeName)
    var route: String

    @Option(name: .long, help: ArgumentHelp("The other node.", valueName: "to"))
    var to: String

    @OptionGroup var link: LinkOptions

    @Flag(name: .long, help: "Add it even if its port has no room for it.")
    var force = false

    func run() async throws {
        try RouteSpecification.validate(name: route)
        let leg: LegReport = try await control.client.send(
            .post, "/v1/routes/\(route)/legs", body: LegRequest(to: try leg(), force: force))
        try output.print(leg) { RouteText.summary(leg, of: route, verb: "added") }
    }

    func leg() throws -> LegSpecification {
        var leg = try LegSpecification(to)
        guard leg.srtp == nil else { throw CommandError.usage("--to '\(to)': srtp is what --key says; leave it out") }
        leg.srtp = try link.reference()
        return leg
    }
}
