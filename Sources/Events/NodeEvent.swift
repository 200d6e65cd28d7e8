// Events: changes of what is wanted, and edges of what is.

import Timing

/// One event of a node, as the API, the log and the command line show it.
public struct NodeEvent: Hashable, Sendable, Codable {
    /// The number of the event. Numbers grow, also over restarts of the daemon: they begin at the time of its start, in microseconds
    /// since 1970.
    public var id: UInt64
    /// The time of the event, nanoseconds since 1970.
    public var unixNanoseconds: UInt64
    public var severity: EventSeverity
    public var kind: EventKind
    /// The name of the route, port, session or other thing that the event is about; empty for the node.
    public var subject: String
    /// The event in one line, for a person.
    public var message: String
    /// The person or program that asked for a change; nil where nobody did.
    public var author: String?
    /// The node's revision after a change.
    public var revision: UInt64?
    /// The events of the same kind and subject that were left out before this one, because too many came.
    public var suppressed: UInt64?

    public init(
        id: UInt64 = 0, unixNanoseconds: UInt64 = 0, severity: EventSeverity, kind: EventKind, subject: String,
        message: String, author: String? = nil, revision: UInt64? = nil, suppressed: UInt64? = nil
    ) {
        self.id = id
        self.unixNanoseconds = unixNanoseconds
        self.severity = severity
        self.kind = kind
        self.subject = subject
        self.message = message
        self.author = author
        self.revision = revision
        self.suppressed = suppressed
    }

    private enum CodingKeys: String, CodingKey {
        case id, time, severity, kind, subject, message, author, revision, suppressed
    }

    /// - Throws: `DecodingError` for what is not an event; the time is RFC 3339.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let time = try container.decode(String.self, forKey: .time)
        guard let unixNanoseconds = RFC3339.unixNanoseconds(time) else {
            throw DecodingError.dataCorruptedError(
                forKey: .time, in: container, debugDescription: "'\(time)' is not a time of RFC 3339")
        }
        self.init(
            id: try container.decode(UInt64.self, forKey: .id), unixNanoseconds: unixNanoseconds,
            severity: try container.decode(EventSeverity.self, forKey: .severity),
            kind: try container.decode(EventKind.self, forKey: .kind),
            subject: try container.decode(String.self, forKey: .subject),
            message: try container.decode(String.self, forKey: .message),
            author: try container.decodeIfPresent(String.self, forKey: .author),
            revision: try container.decodeIfPresent(UInt64.self, forKey: .revision),
            suppressed: try container.decodeIfPresent(UInt64.self, forKey: .suppressed))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(RFC3339.text(unixNanoseconds: unixNanoseconds), forKey: .time)
        try container.encode(severity, forKey: .severity)
        try container.encode(kind, forKey: .kind)
        try container.encode(subject, forKey: .subject)
        try container.encode(message, forKey: .message)
        try container.encodeIfPresent(author, forKey: .author)
        try container.encodeIfPresent(revision, forKey: .revision)
        try container.encodeIfPresent(suppressed, forKey: .suppressed)
    }
}

/// The author of changes that are made in a task and what it calls.
public enum EventAuthor {
    /// A person or program, for people: `anna (crosspoint, process 4711)`, `configuration file`; nil where nobody asked.
    @TaskLocal public static var current: String?
}

/// The urgency of an event, least first. The names are those of syslog (RFC 5424 section 6.2.1).
public enum EventSeverity: String, CaseIterable, Comparable, Sendable, Codable {
    /// A change that somebody asked for, or a normal end.
    case info
    /// A condition that is over.
    case notice
    /// A condition that may lose media, or does so for some receivers.
    case warning
    /// A condition that stops media.
    case error

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    public static func < (one: EventSeverity, other: EventSeverity) -> Bool { one.rank < other.rank }
}

/// The kinds of events. A name is `THING.EDGE`, so that a prefix selects all of a thing.
public enum EventKind: String, CaseIterable, Sendable, Codable {
    /// A route was added, changed in place, given another source, or removed.
    case routeAdded = "route.added"
    case routeChanged = "route.changed"
    case routeTaken = "route.taken"
    case routeRemoved = "route.removed"
    /// A take changed nothing, since its source does not send or is not alike.
    case takeAborted = "route.take-aborted"
    /// A route is wanted and cannot be carried now; or it is carried again.
    case routeRefused = "route.refused"
    case routeLive = "route.live"
    /// A route continues as it was found, and nobody owns it.
    case routeQuarantined = "route.quarantined"
    /// The first packet of a flow, and one of a sender that the route does not accept.
    case firstPacket = "flow.first-packet"
    case unknownSource = "flow.unknown-source"
    /// The state of a flow.
    case flowState = "flow.state"
    /// A leg waits for something, or sends again.
    case legWaiting = "leg.waiting"
    case legActive = "leg.active"
    /// A port has no carrier, is gone, or is up.
    case portDown = "port.down"
    case portGone = "port.gone"
    case portUp = "port.up"
    /// A session of RTSP, or a call of SIP.
    case sessionBegan = "session.began"
    case sessionEnded = "session.ended"
    /// The configuration file was applied, or refused.
    case configurationApplied = "configuration.applied"
    case configurationRefused = "configuration.refused"
    /// The daemon began or ends.
    case nodeStarted = "node.started"
    case nodeStopping = "node.stopping"
    /// Events of many subjects were left out, because too many came.
    case eventsSuppressed = "events.suppressed"
}
