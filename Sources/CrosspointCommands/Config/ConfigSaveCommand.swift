// `crosspoint config save`.

import ArgumentParser
import Node

/// Writes what runs into the configuration file.
struct ConfigSaveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Write the running configuration, with the routes of operators, into a file.",
        discussion: """
            Writes to the daemon's own configuration file unless FILE names another; '-' is standard output. The file is replaced \
            whole: readers see the old one or the new one. Comments in it are lost. A file that cannot be read as a configuration \
            is left alone, unless --force is given.

            A file into which passwords of RTSP upstreams are written gets the mode 0600 and, where this is run as root, the \
            daemon's user as its owner. On standard output *** stands in place of passwords.

            EXAMPLES
              crosspoint config save
              crosspoint config save - | diff /etc/crosspoint/crosspoint.yaml -
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(
        help: "The file. (default: the daemon's configuration file)", completion: .file(extensions: ["yaml", "yml"]))
    var file: String?

    @Flag(name: .long, help: "Overwrite the file even if it cannot be read as a configuration.")
    var force = false

    func run() async throws {
        if file == "-" {
            StandardStream.output.write(try await control.client.text(.get, "/v1/configuration?format=yaml"))
            return
        }
        let path = try await target()
        let text = try await control.client.text(.get, "/v1/configuration?format=yaml&secrets=include")
        let configuration = try ConfigurationFile.parse(text, file: "the daemon's configuration")
        try ConfigurationFile.save(
            configuration, to: path, force: force, reader: FileOwner.identifier(of: control.path))
        let note = configuration.hasSecrets ? ", with passwords: for the daemon's user alone (mode 0600)" : ""
        try output.print(["saved": path]) { "saved to \(path)\(note)\n" }
    }

    /// The file to write: the argument, or the one that the daemon reads.
    private func target() async throws -> String {
        if let file { return file }
        let node: NodeReport = try await control.client.send(.get, "/v1/node")
        guard let path = node.configurationFile else {
            throw CommandError.usage(
                "the daemon runs without a configuration file; name one: crosspoint config save \(NodeConfiguration.defaultPath)"
            )
        }
        return path
    }
}
