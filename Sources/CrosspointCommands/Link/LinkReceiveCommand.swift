// `crosspoint link receive`.

import ArgumentParser
import Routing

/// Adds a route that decrypts.
struct LinkReceiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receive", abstract: "Receive packets of another node, and send them on decrypted.",
        discussion: """
            Adds a route, which 'crosspoint route' and 'crosspoint leg' then know like any other.

            EXAMPLE
              crosspoint link receive cam1 --from 198.51.100.2:5004@wan0 --to 239.1.1.10:5004@eth1 --key wan
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The route's name.")
    var name: String

    @Option(name: .long, help: ArgumentHelp("Where the other node's packets come in.", valueName: "from"))
    var from: String

    @Option(name: .long, help: ArgumentHelp("Where a copy goes; up to 512 times.", valueName: "to"))
    var to: [String] = []

    @OptionGroup var link: LinkOptions

    @Flag(name: .long, help: "Add it even if a port has no room for it.")
    var force = false

    func run() async throws {
        let report: RouteReport = try await control.client.send(.post, "/v1/routes", body: try route())
        try output.print(report) { RouteText.summary(report, verb: "added") }
    }

    func route() throws -> RouteSpecification {
        var source = try SourceSpecification(from)
        guard source.srtp == nil else {
            throw CommandError.usage("--from '\(from)': srtp is what --key says; leave it out")
        }
        source.srtp = try link.reference()
        let route = RouteSpecification(
            name: name, source: source, legs: try to.map { text in try LegSpecification(text) }, isForced: force)
        try route.validate()
        return route
    }
}
