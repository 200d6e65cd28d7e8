// SIP calls as text for people.

import Sessions

/// Writes what comes from either side of a call.
enum CallText {
    /// The row of a call in the table of sessions.
    static func row(_ call: SessionReport) -> [Table.Cell] {
        let fault = fault(of: call)
        let sides = ["caller", "callee"].map { side in call.streams.filter { $0.from == side }.compactMap(\.reception) }
        func pair(_ text: ([SessionReport.Reception]) -> String) -> String {
            guard sides.contains(where: { !$0.isEmpty }) else { return "-" }
            return sides.map { $0.isEmpty ? "-" : text($0) }.joined(separator: "/")
        }
        let lost = sides.map { $0.reduce(0) { $0 &+ $1.lostPackets } }
        return [
            Table.Cell(call.name), Table.Cell(call.kind.rawValue),
            Table.Cell(
                fault.map { "\(call.state), \($0)" } ?? call.state, SessionText.colour(of: fault ?? call.state)),
            Table.Cell(call.target), Table.Cell(call.peer), Table.Cell(call.user ?? "-"),
            Table.Cell(SessionText.transports(call)),
            Table.Cell(pair { "\($0.reduce(0) { $0 &+ $1.packets })" }),
            Table.Cell(
                pair { "\($0.reduce(0) { $0 &+ $1.lostPackets })" }, lost.contains { $0 != 0 } ? .warning : nil),
            Table.Cell(pair { jitter($0.map(\.jitter).max() ?? 0) }),
        ]
    }

    /// The fault of the media of a call: `no media`, `one-way`; nil without a fault.
    static func fault(of call: SessionReport) -> String? {
        let states = call.streams.compactMap(\.state)
        return ["no media", "one-way"].first { states.contains($0) }
    }

    /// The streams of a call: each direction of each medium on a row.
    static func streams(_ call: SessionReport) -> Table {
        var table = Table([
            .right("STREAM"), .left("MEDIA"), .left("FROM"), .left("ADDRESS"), .left("TO"), .left("STATE"),
            .right("PACKETS"), .right("LOST"), .right("JITTER"), .right("AGE"), .left("RTP"), .left("RTCP"),
            .left("ENGINE"),
        ])
        for stream in call.streams {
            let reception = stream.reception
            let state = stream.state ?? "-"
            table.add([
                Table.Cell("\(stream.index)"), Table.Cell(stream.media), Table.Cell(stream.from ?? "-"),
                Table.Cell(stream.address), Table.Cell(stream.to ?? "nowhere"),
                Table.Cell(state, state == "ok" ? .good : SessionText.colour(of: state)),
                Table.Cell(reception.map { "\($0.packets)" } ?? "-"),
                Table.Cell(
                    reception.map { "\($0.lostPackets)" } ?? "-", (reception?.lostPackets ?? 0) == 0 ? nil : .warning),
                Table.Cell(reception.map { jitter($0.jitter) } ?? "-"),
                Table.Cell(reception?.lastArrival.map { duration($0) } ?? "-"),
                Table.Cell(SessionText.route(stream.route, stream.leg)),
                Table.Cell(stream.rtcpRoute.map { SessionText.route($0, stream.rtcpLeg) } ?? "-"),
                Table.Cell("\(stream.engine) (\(stream.engineReason))"),
            ])
        }
        return table
    }

    private static func jitter(_ seconds: Double) -> String { duration(seconds) }

    private static func duration(_ seconds: Double) -> String {
        Quantity.duration(nanoseconds: UInt64(min(max(seconds, 0), 1e9) * 1e9))
    }
}
