// `crosspoint leg remove`.

import ArgumentParser
import Routing

/// Removes a leg.
struct LegRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a leg from a route.",
        discussion: """
            EXAMPLES
              crosspoint leg remove cam1 3
              crosspoint leg remove cam1 10.2.0.5:5004@eth1
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The route's name.", completion: .routeName)
    var route: String

    @Argument(help: "The leg's number, or where it goes.")
    var leg: String

    private struct Removal: Encodable {
        var route: String
        var removed: UInt32
    }

    func run() async throws {
        try RouteSpecification.validate(name: route)
        let number = try await LegFinder.number(of: leg, in: route, control.client)
        try await control.client.send(.delete, "/v1/routes/\(route)/legs/\(number)")
        try output.print(Removal(route: route, removed: number)) { "leg \(number) of \(route) removed\n" }
    }
}
