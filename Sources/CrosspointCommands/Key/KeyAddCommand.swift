// `crosspoint key add`.

import ArgumentParser
import SRTPKeys

/// Adds a key that somebody else has made, or replaces one.
struct KeyAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a key that the other end has too, or replace one.",
        discussion: """
            The key is read from standard input, from a file or from the environment, as SDP security descriptions (RFC 4568) \
            write it:
              PROFILE inline:BASE64[|LIFETIME][|MKI:LENGTH] [ROC=N] [SSRC=N]
            BASE64 is master key and master salt together. ROC is how often the sequence number has wrapped when the first packet \
            comes or goes. Several lines are several keys to receive with, told apart by their MKIs; the first one is sent with. \
            A link key is one line, LINK PROFILE inline:BASE64.

            PROFILE is one of \(SRTPProfile.allCases.map(\.rawValue).joined(separator: ", ")).

            EXAMPLES
              crosspoint key add encoder1 < encoder1.key
              pass show studio/encoder1 | crosspoint key add encoder1
            """)

    @Argument(help: "The key's name.")
    var name: String

    @OptionGroup var input: KeyInput
    @OptionGroup var files: KeyFileOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let isNew = try !files.exists(name)
        let key = try input.read()
        try files.save(key, as: name)
        try output.print(KeyReport(name, key)) {
            "key \(name) (\(key.profile.rawValue)) \(isNew ? "added to" : "changed in") \(files.directory)\n"
        }
    }
}
