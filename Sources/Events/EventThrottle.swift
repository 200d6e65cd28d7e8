// The bound on events: a thing that flaps is one line, and then a number.

import Timing

/// Lets the first events of a kind and subject through, and counts the rest until a window is over. Pure: time comes in.
struct EventThrottle {
    /// The length of a window, nanoseconds.
    static let window: UInt64 = 10_000_000_000
    /// The events of one kind and subject that a window lets through.
    static let burst = 5
    /// The events of all kinds and subjects that a window lets through.
    static let total = 1000
    /// The subjects that are distinguished; beyond them the total alone holds.
    static let subjects = 8192

    private struct Key: Hashable {
        var kind: EventKind
        var subject: String
    }

    private struct Entry {
        var count = 0
        var suppressed: UInt64 = 0
        /// The last event that was left out.
        var last: NodeEvent?
    }

    private var entries: [Key: Entry] = [:]
    private var end = Deadline.never
    private var count = 0
    private var suppressed: UInt64 = 0

    /// The events that are to be published: this one, or nothing; before it the summaries of a window that is over.
    mutating func take(_ event: NodeEvent, at now: UInt64) -> [NodeEvent] {
        var events = summaries(at: now)
        if end == .never { end = Deadline(now, after: Self.window) }
        // A change that somebody asked for is always recorded.
        guard event.author == nil else { return events + [event] }
        let key = Key(kind: event.kind, subject: event.subject)
        guard entries[key] != nil || entries.count < Self.subjects else {
            suppressed += 1
            return events
        }
        var entry = entries[key] ?? Entry()
        if entry.count < Self.burst, count < Self.total {
            entry.count += 1
            count += 1
            events.append(event)
        } else {
            entry.suppressed += 1
            entry.last = event
        }
        entries[key] = entry
        return events
    }

    /// The summaries of a window that is over: the last event of each kind and subject of which some were left out, with their number. A
    /// summary begins the next window, so that a thing that flaps for hours costs one event a window.
    mutating func summaries(at now: UInt64) -> [NodeEvent] {
        guard end != .never, end.hasPassed(at: now) else { return [] }
        let left = entries.values.filter { $0.suppressed > 0 }
        let unnamed = suppressed
        (entries, end, count, suppressed) = ([:], .never, 0, 0)
        var events: [NodeEvent] = []
        var more = unnamed
        for entry in left.sorted(by: { ($0.last?.subject ?? "") < ($1.last?.subject ?? "") }) {
            guard events.count < Self.total / 2, var event = entry.last else {
                more += entry.suppressed
                continue
            }
            event.suppressed = entry.suppressed - 1
            events.append(event)
        }
        if more > 0 {
            events.append(
                NodeEvent(
                    severity: .warning, kind: .eventsSuppressed, subject: "",
                    message: "\(more) events of many subjects were left out within 10 s", suppressed: more))
        }
        return events
    }
}
