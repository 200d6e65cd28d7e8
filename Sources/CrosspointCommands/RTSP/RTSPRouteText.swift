// Routes of the proxy as text for people, without passwords.

import RTSPProxy

/// Writes what routes of the proxy are and how they stand.
enum RTSPRouteText {
    /// `/studio1/cam1 from rtsp://10.1.0.7/main`.
    static func summary(_ route: RTSPRoute) -> String { "\(match(route)) from \(source(route))" }

    /// A table of routes.
    static func table(_ reports: [RTSPRouteReport]) -> Table {
        var table = Table([
            .left("ROUTE"), .left("PATH"), .left("FROM"), .left("STATE"), .right("PLAYERS"), .left("OWNER"),
        ])
        for report in reports {
            table.add([
                Table.Cell(report.route.name), Table.Cell(match(report.route)), Table.Cell(source(report.route)),
                Table.Cell(report.state, colour(of: report.state)), Table.Cell("\(report.players)"),
                Table.Cell(report.owner),
            ])
        }
        return table
    }

    /// Everything about one route.
    static func details(_ report: RTSPRouteReport) -> String {
        let route = report.route
        var lines = [("route", route.name), ("path", match(route)), ("from", source(route))]
        if route.source == .publisher {
            lines.append(("publish", permission(route.publish)))
        } else {
            lines.append(("transport", route.transport.rawValue))
            if let fingerprint = route.fingerprint { lines.append(("certificate", fingerprint)) }
            lines.append(("pulled", route.isOnDemand ? "while somebody plays" : "always"))
        }
        lines += [
            ("read", permission(route.read)), ("allow", list(route.allowedNetworks, empty: "every network")),
            ("destinations", list(route.allowedDestinations, empty: "the player's own address")),
            ("state", report.state + (report.detail.map { " (\($0))" } ?? "")), ("players", "\(report.players)"),
            ("owner", report.owner),
        ]
        return KeyedLines.text(lines)
    }

    /// `/cam1`, `/studio1/…`, `regex /cam(\d+)`.
    private static func match(_ route: RTSPRoute) -> String {
        switch route.match {
        case .path(let text): text
        case .prefix(let text): text.hasSuffix("/") ? "\(text)…" : "\(text)/…"
        case .expression(let text): "regex \(text)"
        }
    }

    private static func source(_ route: RTSPRoute) -> String {
        switch route.masked.source {
        case .upstream(let text): text
        case .publisher: "publisher"
        }
    }

    private static func permission(_ permission: RTSPRoute.Permission) -> String {
        switch permission {
        case .anyone: "anyone"
        case .anyUser: "any user"
        case .users(let users): users.sorted().joined(separator: ", ")
        }
    }

    private static func list(_ texts: [String], empty: String) -> String {
        texts.isEmpty ? empty : texts.joined(separator: ", ")
    }

    private static func colour(of state: String) -> Colour? {
        switch state {
        case "live": .good
        case "waiting", "connecting": .warning
        default: nil
        }
    }
}
