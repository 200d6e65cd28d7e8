// `crosspoint leg`: the noun.

import ArgumentParser

/// The commands on legs.
struct LegCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leg",
        abstract: "Add, remove and change legs of a route on air.",
        discussion: """
            A change of one leg is one atomic swap: the other legs of the route lose nothing. Legs have numbers, unique within \
            their route and never used twice; 'crosspoint route show ROUTE' lists them.
            """,
        subcommands: [LegAddCommand.self, LegRemoveCommand.self, LegSetCommand.self])
}
