// `crosspoint check`.

import ArgumentParser
import Node

/// Checks configuration and host.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the configuration, and say what this node's interfaces and kernel can do.",
        discussion: """
            Needs no daemon and changes nothing. Exits with 1 if the configuration has an error, or names an interface that \
            cannot be used; each problem comes with its remedy.

            EXAMPLES
              crosspoint check
              crosspoint check --config ./crosspoint.yaml --json
            """)

    @OptionGroup var output: OutputOptions

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The configuration file. (default: \(NodeConfiguration.defaultPath) if it is there)", valueName: "file"))
    var config: String?

    func run() throws {
        let (configuration, file) = try ConfigurationChoice.load(config)
        let ports = try HostInformation.ports()
        let report = CheckReport(configuration: configuration, file: file, kernel: HostInformation.kernel, ports: ports)
        try output.print(report) { report.text(colour: StandardStream.output.wantsColour) }
        if let problem = report.problems.first {
            let more = report.problems.count - 1
            throw CommandError(problem + (more > 0 ? " (and \(more) more)" : ""))
        }
    }
}
