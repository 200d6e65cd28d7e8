// `crosspoint route remove`.

import ArgumentParser
import Routing

/// Removes routes.
struct RouteRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove routes with all their legs.",
        discussion: """
            When the command returns, no copy is sent any more. A route of the configuration file stays removed until the next \
            boot, or 'crosspoint config reload --discard-changes'; take it out of the file as well, or run 'crosspoint config save'.

            EXAMPLE
              crosspoint route remove cam1 cam2
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The routes' names.", completion: .routeName)
    var routes: [String]

    func run() async throws {
        for route in routes { try RouteSpecification.validate(name: route) }
        for route in routes { try await control.client.send(.delete, "/v1/routes/\(route)") }
        try output.print(["removed": routes]) { routes.map { "route \($0) removed\n" }.joined() }
    }
}
