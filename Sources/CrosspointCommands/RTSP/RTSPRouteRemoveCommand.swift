// `crosspoint rtsp route remove`.

import ArgumentParser
import Routing

/// Removes routes of the proxy.
struct RTSPRouteRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove routes of the proxy; their sessions end.",
        discussion: """
            A route of the configuration file comes back at the next reload; take it out of the file as well, or run \
            'crosspoint config save'.

            EXAMPLE
              crosspoint rtsp route remove cam1 cam2
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The routes' names.", completion: .rtspRouteName)
    var routes: [String]

    func run() async throws {
        for route in routes { try RouteSpecification.validate(name: route) }
        for route in routes { try await control.client.send(.delete, "/v1/rtsp/routes/\(route)") }
        try output.print(["removed": routes]) { routes.map { "RTSP route \($0) removed\n" }.joined() }
    }
}
