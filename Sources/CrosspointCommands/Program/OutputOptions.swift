// The option of every command that prints something.

import ArgumentParser
import FoundationEssentials
import Node

/// The form in which results are printed.
struct OutputOptions: ParsableArguments {
    @Flag(name: .long, help: "Print JSON, for programs.")
    var json = false

    /// Prints `value` as JSON if that was asked for, else what `text` returns.
    func print(_ value: some Encodable, else text: () -> String) throws {
        if json {
            StandardStream.output.write(
                String(decoding: try JSONText.encode(value, pretty: true), as: UTF8.self) + "\n")
        } else {
            StandardStream.output.write(text())
        }
    }
}
