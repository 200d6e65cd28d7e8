// `crosspoint config`: the noun.

import ArgumentParser

/// The commands on the configuration file.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check and compare the configuration file, and save what runs into it.",
        subcommands: [
            ConfigCheckCommand.self, ConfigDiffCommand.self, ConfigSaveCommand.self, ConfigReloadCommand.self,
        ])
}
