// `crosspoint route set`.

import ArgumentParser
import Node
import Routing

/// Moves a route to another engine.
struct RouteSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Move a route to another engine, on air.",
        discussion: """
            Every packet is sent by the one engine or by the other: none is lost, none is sent twice. From afxdp to kernel, packets that a \
            worker has already may leave after later ones.

            EXAMPLE
              crosspoint route set cam1 --engine afxdp
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The route's name.", completion: .routeName)
    var route: String

    @Option(
        name: .long,
        help:
            "Who sends the packets on: auto, kernel (XDP programs) or afxdp (AF_XDP workers; the kernel while none answers)."
    )
    var engine: String

    func run() async throws {
        try RouteSpecification.validate(name: route)
        let request = EngineRequest(engine: try RouteSpecification.Engine(engine, setting: "engine"))
        let report: RouteReport = try await control.client.send(.put, "/v1/routes/\(route)/engine", body: request)
        try output.print(report) {
            "route \(report.specification.name): engine \(report.engine) (\(report.engineReason))\n"
        }
    }
}
