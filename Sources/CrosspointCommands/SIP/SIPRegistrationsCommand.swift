// `crosspoint sip registrations`.

import ArgumentParser
import SIPAgent

/// Lists registered devices.
struct SIPRegistrationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registrations", abstract: "List the devices that are registered with this node.",
        discussion: """
            NAME is what a device is called by, CONTACT where it says that it is, SOURCE where it registered from. Several \
            devices of one name ring together, those of higher PREFERENCE first.

            EXAMPLES
              crosspoint sip registrations
              crosspoint sip registrations --json | jq -r '.[].address'
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let reports: [SIPRegistrationReport] = try await control.client.send(.get, "/v1/sip/registrations")
        try output.print(reports) { Self.table(reports).text(colour: StandardStream.output.wantsColour) }
    }

    static func table(_ reports: [SIPRegistrationReport]) -> Table {
        var table = Table([
            .left("NAME"), .left("CONTACT"), .left("SOURCE"), .right("PREFERENCE"), .right("EXPIRES"), .left("USER"),
            .left("AGENT"),
        ])
        for report in reports {
            for contact in report.contacts {
                table.add([
                    Table.Cell(report.address), Table.Cell(contact.uri), Table.Cell(contact.source),
                    Table.Cell(Quantity.significant(contact.preference)), Table.Cell("\(contact.expiresIn) s"),
                    Table.Cell(contact.user ?? "-"), Table.Cell(contact.agent ?? "-"),
                ])
            }
        }
        return table
    }
}
