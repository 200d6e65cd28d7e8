// `crosspoint session`: the noun.

import ArgumentParser

/// The commands on sessions.
struct SessionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session",
        abstract: "List, show and close RTSP sessions and SIP calls.",
        discussion: """
            A session is what the daemon has negotiated with a player, a publisher, an upstream, or two SIP devices. It owns routes, or legs of \
            them, which 'crosspoint route list' shows and which vanish with it.
            """,
        subcommands: [SessionListCommand.self, SessionShowCommand.self, SessionCloseCommand.self])
}
