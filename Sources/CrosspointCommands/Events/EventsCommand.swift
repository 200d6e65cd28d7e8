// `crosspoint events`.

import ArgumentParser
import Events
import Node
import Routing
import Timing

/// Shows what happened on a node.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show changes and troubles: the last ones, or as they come.",
        discussion: """
            An event is a change that somebody made, with its author, or an edge: a port went down, a leg waits, a source \
            sends its first packet. One cause is one event: a port that goes down names its routes. What flaps is counted, \
            not repeated. The daemon keeps the last \(EventLog.capacity) events of its own run.

            EXAMPLES
              crosspoint events --since 10m
              crosspoint events --follow --severity warning
              crosspoint events --kind route --json
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Flag(name: .long, help: "Show new events as they come, until the program is interrupted.")
    var follow = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Events since then: a span (10m, 2h), a time (RFC 3339), or after an event's number.", valueName: "time"))
    var since: String?

    @Option(name: .long, help: "Events of this severity or higher: info, notice, warning, error.")
    var severity: String?

    @Option(name: .long, help: "Events of a thing (route, leg, port, flow, session) or of one kind (route.added).")
    var kind: String?

    func run() async throws {
        let now = SystemClock.unixNanoseconds
        // A slip of the pen is seen before the daemon is asked.
        let selection: EventSelection
        do {
            selection = try EventSelection(since: since, severity: severity, kind: kind, now: now)
        } catch {
            throw CommandError.usage("--\(error.message)")
        }
        if follow { return try await follow(selection) }
        let events = try await control.client.send(.get, path(), as: [NodeEvent].self).filter(selection.contains)
        try output.print(events) { EventText.text(of: events, colour: StandardStream.output.wantsColour) }
    }

    private func path() -> String {
        let parameters = [("since", since), ("severity", severity), ("kind", kind)].compactMap { name, value in
            value.map { "\(name)=\(Self.escaped($0))" }
        }
        return "/v1/events" + (parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&"))
    }

    /// A value for a query: RFC 3339 has a plus sign.
    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(UnicodeScalar(byte))
            return character.isASCII && (character.isLetter || character.isNumber || "-._:".contains(character))
                ? String(character) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    /// Follows the events, over restarts of the daemon.
    private func follow(_ selection: EventSelection) async throws {
        let client = control.client
        let last = LastEvent()
        var wasConnected = false
        while true {
            do {
                try await client.follow(path(), after: await last.number) { [output] name, data in
                    await last.connected()
                    guard name != "gap" else {
                        StandardStream.error.write("crosspoint: events are missing here: this program was too slow\n")
                        return
                    }
                    let event = try JSONText.decode(NodeEvent.self, from: data.utf8)
                    await last.set(event.id)
                    StandardStream.output.write(
                        output.json
                            ? data + "\n" : EventText.line(of: event, colour: StandardStream.output.wantsColour))
                }
                wasConnected = true
                StandardStream.error.write("crosspoint: the daemon has stopped; waiting for the next one\n")
            } catch let error as CommandError {
                // The first time it is the user's mistake; later it is a restart.
                wasConnected = await last.wasConnected || wasConnected
                guard wasConnected, error.exitStatus == ExitStatus.unreachable else { throw error }
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// The last event that was seen.
    private actor LastEvent {
        private(set) var number: UInt64?
        private(set) var wasConnected = false

        func set(_ number: UInt64) { self.number = number }
        func connected() { wasConnected = true }
    }
}
