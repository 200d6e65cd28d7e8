// `crosspoint route take`.

import ArgumentParser
import Node
import Routing

/// Gives a route another source.
struct RouteTakeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "take", abstract: "Give a route another source; its legs go on.",
        discussion: """
            The new source is received first. When three of its frames were seen, with the payload type that receivers have \
            now, the legs change over, by two stores one directly after the other; when they are not seen within --timeout, \
            nothing changes and the exit code is 1. The destinations see packets of the old source, then packets of the new \
            one, with its sequence numbers and SSRC. A source that differs from the old one by source= or source-port= alone \
            is not waited for. A route of the configuration file keeps its new source over restarts and reloads; \
            'crosspoint config diff' shows it.

            \(EndpointHelp.source)

            EXAMPLE
              crosspoint route take cam1 --from 239.1.1.11:5004@eth0
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The route's name.", completion: .routeName)
    var route: String

    @Option(name: .long, help: ArgumentHelp("Where the packets come from, from now on.", valueName: "from"))
    var from: String

    @Option(name: .long, help: "The longest wait for the new source, in seconds; up to 60.")
    var timeout = 2.0

    @Flag(name: .long, help: "Take the new source at once, seen or not.")
    var force = false

    func run() async throws {
        try RouteSpecification.validate(name: route)
        let take = TakeRequest(from: try SourceSpecification(from), timeout: timeout, force: force)
        do { _ = try take.wait() } catch { throw CommandError.usage("--\(error.message)") }
        let report: RouteReport = try await control.client.send(.post, "/v1/routes/\(route)/take", body: take)
        try output.print(report) { RouteText.summary(report, verb: "takes \(report.specification.source)") }
    }
}
