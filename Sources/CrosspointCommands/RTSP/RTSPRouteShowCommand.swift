// `crosspoint rtsp route show`.

import ArgumentParser
import RTSPProxy
import Routing

/// Shows one route of the proxy.
struct RTSPRouteShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one route of the proxy: its settings, its state and why it is in it.",
        discussion: """
            EXAMPLE
              crosspoint rtsp route show cam1
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The route's name.", completion: .rtspRouteName)
    var route: String

    func run() async throws {
        try RouteSpecification.validate(name: route)
        let report: RTSPRouteReport = try await control.client.send(.get, "/v1/rtsp/routes/\(route)")
        try output.print(report) { RTSPRouteText.details(report) }
    }
}
