// Routes and legs as text for people.

import Routing

/// Writes what routes and legs are and how they stand.
enum RouteText {
    /// One line: `route cam1 added: 2 legs, 1 not sending (leg 2 unresolved: …)`.
    static func summary(_ report: RouteReport, verb: String) -> String {
        let waiting = report.legs.filter { $0.state != .active }
        let details = waiting.map { leg in
            "leg \(leg.number) \(leg.state.rawValue)" + (leg.reason.map { ": \($0)" } ?? "")
        }
        return "route \(report.specification.name) \(verb): \(Count.text(report.legs.count, "leg"))"
            + (waiting.isEmpty ? "" : ", \(waiting.count) not sending (\(details.joined(separator: "; ")))") + "\n"
    }

    /// One line: `leg 3 of cam1 added: 10.2.0.5:5004@eth1`.
    static func summary(_ leg: LegReport, of route: String, verb: String) -> String {
        "leg \(leg.number) of \(route) \(verb): \(leg.specification)"
            + (leg.state == .active ? "" : " (\(leg.state.rawValue)" + (leg.reason.map { ": \($0)" } ?? "") + ")")
            + "\n"
    }

    /// A table of routes.
    static func table(_ reports: [RouteReport]) -> Table {
        var table = Table([
            .left("ROUTE"), .left("FROM"), .right("LEGS"), .right("SENDING"), .left("PAYLOAD"), .left("MEMBERSHIP"),
            .left("ENGINE"), .left("OWNER"), .left("STATE"),
        ])
        for report in reports {
            let sending = report.legs.count { $0.state == .active }
            table.add([
                Table.Cell(report.specification.name), Table.Cell(report.specification.source.description),
                Table.Cell("\(report.legs.count)"),
                Table.Cell("\(sending)", sending < report.legs.count ? .warning : nil),
                Table.Cell(report.specification.payload.rawValue), Table.Cell(report.membership),
                Table.Cell(report.engine), Table.Cell(report.owner.rawValue),
                Table.Cell(state(of: report), report.standing == .live ? nil : .warning),
            ])
        }
        return table
    }

    /// The state of a route: if it is carried, and if the configuration file has it otherwise.
    private static func state(of report: RouteReport) -> String {
        report.standing.rawValue + (report.differsFromFile ? ", differs from file" : "")
    }

    /// Everything about one route.
    static func details(_ report: RouteReport, colour: Bool) -> String {
        let route = report.specification
        var lines: [(key: String, value: String)] = [
            ("route", route.name), ("from", route.source.description), ("payload", route.payload.rawValue),
            ("accounting", route.accounting.rawValue),
            ("clock", route.clockRate.map { "\($0) Hz" } ?? "recognised from the stream"),
            ("rate", route.wireRate.map { BitRate(bitsPerSecond: $0).description } ?? "not given"),
            ("membership", report.membership),
            ("engine", "\(report.engine) (\(report.engineReason)); asked for: \(route.engine.rawValue)"),
            ("owner", report.owner.rawValue), ("state", state(of: report)),
        ]
        if let problem = report.problem { lines.append(("problem", problem)) }
        if route.isForced { lines.append(("force", "true")) }
        var table = Table([.right("LEG"), .left("STATE"), .left("TO"), .left("NEXT HOP"), .left("REASON")])
        for leg in report.legs {
            table.add([
                Table.Cell("\(leg.number)"),
                Table.Cell(leg.state.rawValue, leg.state == .active ? .good : .warning),
                Table.Cell(leg.specification.description), Table.Cell(leg.nextHop ?? ""),
                Table.Cell(leg.reason ?? ""),
            ])
        }
        return KeyedLines.text(lines) + (report.legs.isEmpty ? "" : "\n" + table.text(colour: colour))
    }
}
