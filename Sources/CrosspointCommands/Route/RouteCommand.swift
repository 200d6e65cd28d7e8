// `crosspoint route`: the noun.

import ArgumentParser

/// The commands on routes.
struct RouteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route",
        abstract: "Add, list, show, remove routes, and give them other sources and engines.",
        discussion: """
            A route takes one flow that arrives and sends a copy to each of its legs. Routes that are added here are the \
            operator's: a reload of the configuration leaves them alone, and they come back when the daemon is restarted. \
            'crosspoint config save' writes them into the configuration file.
            """,
        subcommands: [
            RouteAddCommand.self, RouteListCommand.self, RouteShowCommand.self, RouteRemoveCommand.self,
            RouteTakeCommand.self, RouteSetCommand.self,
        ])
}
