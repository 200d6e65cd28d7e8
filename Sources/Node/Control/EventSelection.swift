// The part of a node's events that a request asks for.

public import Events
public import Routing
import Timing

/// A selection of events by number or time, severity and kind.
public struct EventSelection: Hashable, Sendable {
    /// Events after this number.
    public var after: UInt64
    /// Events at this time or later, nanoseconds since 1970.
    public var since: UInt64
    /// Events of this severity or a higher one.
    public var severity: EventSeverity
    /// The beginning of the kind's name: `route`, `port.down`; empty for all.
    public var kind: String

    public init(after: UInt64 = 0, since: UInt64 = 0, severity: EventSeverity = .info, kind: String = "") {
        self.after = after
        self.since = since
        self.severity = severity
        self.kind = kind
    }

    /// A selection from texts: `since` is an event's number, a time (RFC 3339) or a time span before `now` such as `90s`, `10m`, `2h`, `1d`.
    ///
    /// - Throws: `RoutingError` of code `invalid` for what is none of these.
    public init(since: String?, severity: String?, kind: String?, now: UInt64) throws(RoutingError) {
        self.init()
        if let since { try read(since: since, now: now) }
        if let severity {
            guard let value = EventSeverity(rawValue: severity) else {
                let known = EventSeverity.allCases.map(\.rawValue).joined(separator: ", ")
                throw RoutingError(.invalid, "severity '\(severity)' is unknown; use \(known)")
            }
            self.severity = value
        }
        if let kind {
            guard EventKind.allCases.contains(where: { Self.matches($0, kind) }) else {
                let things = Set(EventKind.allCases.map { String($0.rawValue.prefix { $0 != "." }) }).sorted()
                throw RoutingError(
                    .invalid,
                    "kind '\(kind)' is unknown; use \(things.joined(separator: ", ")), or one such as route.added")
            }
            self.kind = kind
        }
    }

    private mutating func read(since: String, now: UInt64) throws(RoutingError) {
        if let number = UInt64(since) {
            after = number
        } else if let time = RFC3339.unixNanoseconds(since) {
            self.since = time
        } else if let unit = since.last, let seconds = Self.units[unit],
            let count = UInt64(since.dropLast())
        {
            self.since = now.subtractingSaturating(
                count.multipliedSaturating(by: seconds).multipliedSaturating(by: 1_000_000_000))
        } else {
            throw RoutingError(
                .invalid,
                "since '\(since)' is not a time; use a span (10m, 2h), a time (2026-11-21T02:16:18Z) or an event's number"
            )
        }
    }

    /// The units of time spans, in seconds.
    private static let units: [Character: UInt64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]

    /// True for an event of the selection.
    public func contains(_ event: NodeEvent) -> Bool {
        event.id > after && event.unixNanoseconds >= since && event.severity >= severity
            && (kind.isEmpty || Self.matches(event.kind, kind))
    }

    private static func matches(_ kind: EventKind, _ text: String) -> Bool {
        kind.rawValue == text || kind.rawValue.hasPrefix(text + ".")
    }
}
