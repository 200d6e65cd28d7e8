// Sessions as text for people.

import FastPath
import Node
import Routing
import Sessions
import Timing

/// Writes who the peers of sessions are and how their media is carried.
enum SessionText {
    /// Throws unless `name` can be a session's name, which is part of the paths of the API.
    static func validate(name: String) throws(CommandError) {
        do { try RouteSpecification.validate(name: name) } catch {
            throw .usage("session '\(name)' cannot be; 'crosspoint session list' lists the sessions by name")
        }
    }

    /// A table of sessions with what they carried.
    static func table(_ sessions: [SessionReport], _ snapshot: StatisticsSnapshot) -> Table {
        var table = Table([
            .left("SESSION"), .left("KIND"), .left("STATE"), .left("TARGET"), .left("PEER"), .left("USER"),
            .left("TRANSPORT"), .right("PACKETS"), .right("LOST"), .right("JITTER"),
        ])
        for session in sessions {
            if session.kind == .sipCall {
                table.add(CallText.row(session))
                continue
            }
            let traffic = SessionTraffic(of: session, in: snapshot)
            table.add([
                Table.Cell(session.name), Table.Cell(session.kind.rawValue),
                Table.Cell(session.state, colour(of: session.state)), Table.Cell(session.target),
                Table.Cell(session.peer), Table.Cell(session.user ?? "-"), Table.Cell(transports(session)),
                Table.Cell(traffic.map { "\($0.packets)" } ?? "-"), lost(traffic), "-",
            ])
        }
        return table
    }

    /// Everything about one session.
    static func details(_ session: SessionReport, _ snapshot: StatisticsSnapshot, colour: Bool) -> String {
        let traffic = session.kind == .sipCall ? nil : SessionTraffic(of: session, in: snapshot)
        var lines = [
            ("session", session.name), ("kind", session.kind.rawValue), ("state", session.state),
            ("target", session.target), ("peer", session.peer), ("user", session.user ?? "none"),
            ("agent", session.agent ?? "not known"), ("started", session.startedAt),
            (
                "expires",
                session.expiresIn.map { "in \(UInt64(saturatingSeconds: $0) / 1_000_000_000) s without a sign of life" }
                    ?? "never"
            ),
        ]
        if let traffic { lines += [("packets", "\(traffic.packets)"), ("lost", "\(traffic.lost)")] }
        lines += session.notes.map { ("note", $0) }
        guard !session.streams.isEmpty else { return KeyedLines.text(lines) }
        if session.kind == .sipCall {
            return KeyedLines.text(lines) + "\n" + CallText.streams(session).text(colour: colour)
        }
        var table = Table([
            .right("STREAM"), .left("MEDIA"), .left("TRANSPORT"), .left("ADDRESS"), .left("RTP"), .left("RTCP"),
            .right("DROPPED"), .left("ENGINE"),
        ])
        for stream in session.streams {
            table.add([
                Table.Cell("\(stream.index)"), Table.Cell(stream.media), Table.Cell(stream.transport),
                Table.Cell(stream.address), Table.Cell(route(stream.route, stream.leg)),
                Table.Cell(stream.rtcpRoute.map { route($0, stream.rtcpLeg) } ?? "-"),
                Table.Cell("\(stream.droppedPackets)", stream.droppedPackets > 0 ? .warning : nil),
                Table.Cell("\(stream.engine) (\(stream.engineReason))"),
            ])
        }
        return KeyedLines.text(lines) + "\n" + table.text(colour: colour)
    }

    /// `cam1-0 leg 3`.
    static func route(_ name: String, _ leg: UInt32?) -> String { leg.map { "\(name) leg \($0)" } ?? name }

    /// Each way of transport once, in the order of the streams.
    static func transports(_ session: SessionReport) -> String {
        var seen: [String] = []
        for stream in session.streams where !seen.contains(stream.transport) { seen.append(stream.transport) }
        return seen.isEmpty ? "-" : seen.joined(separator: ", ")
    }

    private static func lost(_ traffic: SessionTraffic?) -> Table.Cell {
        traffic.map { Table.Cell("\($0.lost)", $0.lost == 0 ? nil : .warning) } ?? "-"
    }

    static func colour(of state: String) -> Colour? {
        switch state {
        case "playing", "recording", "answered": .good
        case "waiting", "connecting", "one-way", "no media": .warning
        default: nil
        }
    }
}
