// `crosspoint scan`.

import ArgumentParser
import FoundationEssentials
import Node

/// Lists what arrives at a port now.
struct ScanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "List what arrives at a port now: groups, senders, VLANs, rates.",
        discussion: """
            One row per destination, sender and VLAN, the most packets first. The daemon looks at the packets before anything else is \
            done with them, so that what no route takes is there too. ROUTE is the route that takes them; in brackets stands what \
            keeps a route from it: ttl (1 or less), fragment, options (of IP), source (not from its source=), not-rtp. KIND is a \
            guess by the first bytes.

            At high rates one packet of many is looked at. The last line says below which rate a flow may be missing then. It costs the \
            forwarding less than 2 %, and nothing afterwards. One port is scanned at a time; several commands may scan the same.

            A port that no route uses is one of the node's if 'ports:' in the configuration names it.

            EXAMPLES
              crosspoint scan eth0
              crosspoint scan eth0 --seconds 10
              crosspoint scan eth0 --json | jq '.flows[] | select(.route == null)'

            \(ExitStatus.help)
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Option(
        name: .long,
        help: ArgumentHelp("How long to look, 0.1 to \(Int(PortScanner.longest)) seconds.", valueName: "seconds"))
    var seconds: Double = 3

    @Argument(help: "The port: the name of the interface.", completion: .interfaceName)
    var port: String

    func run() async throws {
        try PortScans.check(seconds: seconds)
        let report = try await PortScans(client: control.client).scan(port, seconds: seconds)
        try output.print(report) { ScanText.text(report, colour: StandardStream.output.wantsColour) }
    }
}

/// Asks the daemon for scans.
struct PortScans: Sendable {
    let client: ControlClient

    static func check(seconds: Double) throws {
        guard seconds >= 0.1, seconds <= PortScanner.longest else {
            throw CommandError.usage(
                "--seconds \(seconds): a scan takes 0.1 to \(Int(PortScanner.longest)) seconds")
        }
    }

    func scan(_ port: String, seconds: Double) async throws -> ScanReport {
        // What is no interface's name could be part of another path.
        guard !port.isEmpty, port.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"/?#%".utf8.contains($0) }) else {
            throw CommandError.usage("port '\(port)' is not the name of an interface")
        }
        return try await client.send(
            .get, "/v1/ports/\(port)/scan?seconds=\(seconds)", doing: "looking at port \(port) for \(seconds) s")
    }
}
