// Statistics again and again: redrawn in place on a terminal, one after the other elsewhere.

import FastPath
import FoundationEssentials
import Node

/// Shows statistics at an interval.
struct StatisticsWatch {
    let source: any StatisticsSource
    let sessions: DaemonSessions
    let route: String?
    /// The seconds between two readings.
    let interval: Double
    let json: Bool
    let isWide: Bool

    /// Shows statistics until the program is interrupted. On a terminal, a reading that fails is shown and tried again.
    func run() async throws {
        let screen = StandardStream.output
        var old = try await source.snapshot()
        // One that is removed later may come back; one that was never there is a slip of the pen.
        if let route, !old.flows.contains(where: { $0.route == route }) { throw CommandError.unknown(route: route) }
        var pause = Duration.milliseconds(250)
        while true {
            try await Task.sleep(for: pause)
            pause = .milliseconds(Int64(interval * 1000))
            do {
                let new = try await source.snapshot()
                var measured = MeasuredStatistics(
                    from: old, to: new, sessions: await sessions.read(), states: await sessions.states())
                old = new
                if let route { measured = measured.only(route: route) }
                try show(measured, on: screen)
            } catch {
                guard screen.isTerminal, !json, let message = CommandError(describing: error)?.message else {
                    throw error
                }
                screen.write("\u{1B}[H\(message)\u{1B}[K\n")
            }
        }
    }

    private func show(_ measured: MeasuredStatistics, on screen: StandardStream) throws {
        if json {
            screen.write(String(decoding: try JSONText.encode(measured), as: UTF8.self) + "\n")
            return
        }
        let text = StatisticsText(
            measured, isWide: isWide, heartbeat: sessions.heartbeat, colour: screen.wantsColour
        ).text
        if screen.isTerminal {
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { $0 + "\u{1B}[K" }
            if let height = screen.height, lines.count >= height {
                let hidden = lines.count - (height - 2)
                lines =
                    lines.prefix(height - 2) + ["\(hidden) more lines; name a route, or make the window higher\u{1B}[K"]
            }
            // Overwriting line by line, then clearing what is left, does not flicker. Lines are cut at the edge, not wrapped.
            screen.write("\u{1B}[H\u{1B}[?7l" + lines.joined(separator: "\n") + "\n\u{1B}[J\u{1B}[?7h")
        } else {
            screen.write(text + "\n")
        }
    }
}
