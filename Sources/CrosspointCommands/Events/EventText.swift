// Events as lines for people.

import Events
import Timing

/// Writes events.
enum EventText {
    /// One line for each event; a word where there are none.
    static func text(of events: [NodeEvent], colour: Bool) -> String {
        events.isEmpty ? "no events\n" : events.map { line(of: $0, colour: colour) }.joined()
    }

    /// `2026-11-21T02:16:18.123Z  warning  route cam1: …, by anna (crosspoint, process 4711)`.
    static func line(of event: NodeEvent, colour: Bool) -> String {
        let width = EventSeverity.allCases.map(\.rawValue.count).reduce(0, max)
        let name = event.severity.rawValue
        let padding = String(repeating: " ", count: width - name.count)
        let severity = colour ? paint(event.severity) : name
        var text = event.message
        if let author = event.author { text += ", by \(author)" }
        if let suppressed = event.suppressed, suppressed > 0, event.kind != .eventsSuppressed {
            text += " (and \(suppressed) more like this before)"
        }
        return
            "\(RFC3339.text(unixNanoseconds: event.unixNanoseconds))  \(severity)\(padding)  \(Table.Cell(text).text)\n"
    }

    private static func paint(_ severity: EventSeverity) -> String {
        switch severity {
        case .info: severity.rawValue
        case .notice: Colour.good.paint(severity.rawValue)
        case .warning: Colour.warning.paint(severity.rawValue)
        case .error: Colour.bad.paint(severity.rawValue)
        }
    }
}
