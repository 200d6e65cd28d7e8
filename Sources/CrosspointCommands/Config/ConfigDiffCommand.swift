// `crosspoint config diff`.

import ArgumentParser
import Node

/// Shows where what runs differs from the configuration file.
struct ConfigDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show where what runs differs from the configuration file.",
        discussion: """
            '+' marks a route that the file does not have, '-' one that the file has and that does not run, '~' one that runs \
            otherwise. 'config save' writes what runs into the file, 'config reload --discard-changes' does the opposite.

            EXAMPLE
              crosspoint config diff
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let difference: ConfigurationDifference = try await control.client.send(.get, "/v1/configuration/difference")
        try output.print(difference) {
            var text = ""
            for route in difference.routes {
                let mark =
                    switch route.kind {
                    case .added: "+"
                    case .removed: "-"
                    case .changed: "~"
                    }
                text += "\(mark) route \(route.name): \(route.text)\n"
            }
            if !difference.needRestart.isEmpty {
                text += "! in effect at the next start only: \(difference.needRestart.joined(separator: ", "))\n"
            }
            return text.isEmpty ? "what runs is what \(difference.file) says\n" : text
        }
    }
}
