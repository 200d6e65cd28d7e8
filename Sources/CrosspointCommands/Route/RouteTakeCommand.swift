// `crosspoint route take`.

import ArgumentParser
import Node
import Routing

/// Gives a route another source.
struct RouteTakeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "take", abstract: "Give a route another source; its legs go on.",
        discussion: """
            The change is one atomic swap: the destinations see packets of the old source, then packets of the new one.

            \(EndpointHelp.source)

            EXAMPLE
              crosspoint route take cam1 --from 239.1.1.11:5004@eth0
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The route's name.")
    var route: String

    @Option(name: .long, help: ArgumentHelp("Where the packets come from, from now on.", valueName: "from"))
    var from: String

    func run() async throws {
        try RouteSpecification.validate(name: route)
        let take = TakeRequest(from: try SourceSpecification(from))
        let report: RouteReport = try await control.client.send(.post, "/v1/routes/\(route)/take", body: take)
        try output.print(report) { RouteText.summary(report, verb: "takes \(report.specification.source)") }
    }
}
