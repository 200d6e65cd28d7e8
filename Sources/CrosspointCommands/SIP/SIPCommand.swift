// `crosspoint sip`: the noun.

import ArgumentParser

/// The commands on the SIP agent.
struct SIPCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sip", abstract: "Look at the SIP agent.",
        discussion: """
            The daemon has a SIP agent if its configuration has a section 'sip:'; there stands who may call whom. Calls are \
            sessions: 'crosspoint session list' lists them.
            """,
        subcommands: [SIPRegistrationsCommand.self])
}
