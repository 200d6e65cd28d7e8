// `crosspoint rtsp`: the noun.

import ArgumentParser

/// The commands on the RTSP proxy.
struct RTSPCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rtsp", abstract: "Say what the RTSP proxy serves.", subcommands: [RTSPRouteCommand.self])
}

/// The commands on the proxy's routes.
struct RTSPRouteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route",
        abstract: "Add, list, show and remove what players find at this node.",
        discussion: """
            A route of the proxy says which paths of rtsp://NODE/PATH are served, and from where: an upstream (a camera, or \
            another node) or whoever publishes there. It becomes routes of the fast path when somebody plays; 'crosspoint session \
            list' shows who does. The daemon has a proxy if its configuration has a section 'rtsp:'.

            Routes that are added here are tried after those of the configuration, and a reload leaves them alone. \
            'crosspoint config save' writes them into the configuration file.
            """,
        subcommands: [
            RTSPRouteAddCommand.self, RTSPRouteListCommand.self, RTSPRouteShowCommand.self,
            RTSPRouteRemoveCommand.self,
        ])
}
