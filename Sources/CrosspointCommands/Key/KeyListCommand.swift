// `crosspoint key list`.

import ArgumentParser
import SRTPKeys

/// Lists the keys.
struct KeyListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the keys, without their secrets.")

    @OptionGroup var files: KeyFileOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let keys = try files.names().map { KeyReport($0, try files.load($0)) }
        try output.print(keys) {
            var table = Table([.left("KEY"), .left("KIND"), .left("PROFILE"), .right("KEYS")])
            for key in keys {
                table.add([
                    Table.Cell(key.name), Table.Cell(key.kind), Table.Cell(key.profile), Table.Cell("\(key.keys)"),
                ])
            }
            return table.text(colour: false)
        }
    }
}
