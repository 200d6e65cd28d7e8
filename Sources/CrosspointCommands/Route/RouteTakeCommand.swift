// `crosspoint route take`.

import ArgumentParser
import Node
import Routing

/// Gives a route another source.
struct RouteTakeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "take", abstract: "Give a route another source; its legs go on.",
        discussion: """
            The new source is received and accounted before the old one is let go; then the legs change over, by two stores one \
            directly after the other. The destinations see packets of the old source, then packets of the new one, with its \
            sequence numbers and SSRC. Whether the new source sends is not looked at. A route of the configuration file keeps \
            its new source over restarts and reloads; 'crosspoint config diff' shows it.

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
