// `crosspoint config check`.

import ArgumentParser
import Node
import RTSPProxy
import Routing
import SIPAgent

/// Checks a configuration file.
struct ConfigCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check a configuration file, apart from this host.",
        discussion: """
            An error names the file, the line and the key. Routes that clash, feed one another or feed one receiver together are \
            errors too. 'crosspoint check' also looks at this host's interfaces.

            EXAMPLE
              crosspoint config check ./crosspoint.yaml
            """)

    @OptionGroup var output: OutputOptions

    @Argument(help: "The file.", completion: .file(extensions: ["yaml", "yml"]))
    var file = NodeConfiguration.defaultPath

    func run() throws {
        let configuration = try ConfigurationFile.load(file)
        let problems = configuration.routes.problems()
        if let problem = problems.first {
            let rest = problems.dropFirst().map { "\n\(file): \($0)" }.joined()
            throw CommandError("\(file): \(problem)\(rest)")
        }
        let legs = configuration.routes.map(\.legs.count).reduce(0, +)
        let proxied = configuration.rtsp.map { ", \(Count.text($0.routes.count, "RTSP route"))" } ?? ""
        let dialled = configuration.sip.map { ", \(Count.text($0.dialPlan.count, "dial plan rule"))" } ?? ""
        try output.print(configuration.masked) {
            "\(file): correct, \(Count.text(configuration.routes.count, "route")), \(Count.text(legs, "leg"))\(proxied)\(dialled)\n"
        }
    }
}
