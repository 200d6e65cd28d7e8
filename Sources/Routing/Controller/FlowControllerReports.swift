// Changes and edges of routes, legs and ports, as events.

import Events
import Logging

extension FlowController {
    /// Gives a route that is being changed the next revision, and its author.
    func stamp(_ intent: inout RouteIntent) {
        revision += 1
        intent.revision = revision
        intent.author = EventAuthor.current
    }

    /// Reports a route of a commit. Those of sessions are reported by their agents.
    func report(_ staged: StagedRoute) {
        switch (staged.before, staged.after) {
        case (let before?, let after?):
            let (old, new) = (before.specification, after.specification)
            let isTaken = old.source != new.source
            let difference = new.difference(from: old)
            if difference.isEmpty, before.owner == after.owner { return }
            report(
                isTaken ? .routeTaken : .routeChanged, of: after,
                difference.isEmpty ? "is kept by the file" : difference)
        case (nil, let after?):
            let count = after.specification.legs.count
            report(
                .routeAdded, of: after,
                "from \(after.specification.source) to \(count == 1 ? "1 leg" : "\(count) legs")")
        case (let before?, nil): report(.routeRemoved, of: before, "removed")
        case (nil, nil): break
        }
    }

    /// Reports something about a route.
    func report(_ kind: EventKind, of state: RouteState, _ text: String) {
        guard state.owner != .session else { return }
        let name = state.specification.name
        switch kind {
        case .legWaiting, .unknownSource: events.record(.warning, kind, name, "route \(name): \(text)")
        case .legActive, .firstPacket: events.record(.notice, kind, name, "route \(name): \(text)")
        default:
            let author = EventAuthor.current
            logger.info("route \(name): \(text)", metadata: author.map { ["author": "\($0)"] })
            events.record(.info, kind, name, "route \(name): \(text)", author: author, revision: revision)
        }
    }

    /// Reports a port that routes use, with the routes: one cause, one event.
    func report(_ kind: EventKind, ofPort name: String) {
        let routes = table.routes(on: name).sorted()
        guard !routes.isEmpty || configuredPorts.contains(name) else { return }
        let most = 40
        let names = routes.prefix(most).joined(separator: ", ")
        let more = routes.count > most ? " and \(routes.count - most) more" : ""
        let whose =
            switch routes.count {
            case 0: "no route uses it"
            case 1: "route \(names)"
            default: "routes \(names)\(more)"
            }
        let (severity, text): (EventSeverity, String) =
            switch kind {
            case .portUp: (.notice, "is up")
            case .portGone: (.error, "the interface is gone")
            default: (.error, "is down or has no carrier")
            }
        events.record(severity, kind, name, "port \(name): \(text): \(whose)")
    }
}
