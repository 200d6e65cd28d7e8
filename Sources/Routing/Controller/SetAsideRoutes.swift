// Routes that are wanted and not carried, and routes that are carried and not understood.

import Events
import FastPath
import Journal
import Logging
import RTPWire

/// Routes beside those of the table. Each is shown with its reason.
struct SetAsideRoutes {
    /// A route that cannot be carried now. It is tried again when the network changes.
    struct Refused {
        var intent: RouteIntent
        /// As it was before a restart; nil for a route that has not been carried yet.
        var journalled: JournalledRoute?
        var reason: RoutingError
    }

    /// A route whose flows continue as they were found, and which nobody but an operator removes.
    struct Quarantined {
        var flows: [FoundFlow]
        var reason: String
    }

    var refused: [String: Refused] = [:]
    var quarantined: [String: Quarantined] = [:]
}

extension FlowController {
    /// The reason for which a route of the name cannot be added or changed; nil where it can. A removal of several routes at once does
    /// not take one that is set aside.
    func setAsideProblem(_ name: String, removing: Bool = false) -> RoutingError? {
        let remedy = removing ? "remove it by itself" : "remove it first"
        if let route = setAside.refused[name] {
            return RoutingError(
                .conflict, "route \(name): is wanted already, and waits: \(route.reason); \(remedy)")
        }
        return setAside.quarantined[name].map {
            RoutingError(
                .conflict, "route \(name): a flow of that name continues that nobody owns (\($0.reason)); \(remedy)")
        }
    }

    func setAsideReport(_ name: String) -> RouteReport? {
        if let route = setAside.refused[name] {
            return RouteReport(
                specification: route.intent.specification, owner: route.intent.owner, engine: "none",
                engineReason: "the route is refused", membership: "off",
                legs: [], standing: .refused, problem: route.reason.message,
                differsFromFile: route.intent.isChangedLive, revision: route.intent.revision,
                author: route.intent.author)
        }
        return setAside.quarantined[name].map { report(quarantined: name, $0) }
    }

    func setAsideReports() -> [RouteReport] {
        (Array(setAside.refused.keys) + Array(setAside.quarantined.keys)).compactMap(setAsideReport)
    }

    /// The report of a route by its labels in the fast path.
    private func report(quarantined name: String, _ route: SetAsideRoutes.Quarantined) -> RouteReport {
        let flow = route.flows.first
        let source = flow.flatMap { try? SourceSpecification($0.from) }
        let legs = (flow?.legs ?? []).compactMap { leg in
            (try? LegSpecification(leg.to)).map {
                LegReport(number: leg.number, specification: $0, state: .active, reason: nil, nextHop: nil)
            }
        }
        let unknown = SourceSpecification(
            address: IPAddress(0, 0, 0, 0), udpPort: 0, port: PortReference(interface: "-", vlans: []))
        return RouteReport(
            specification: RouteSpecification(name: name, source: source ?? unknown, legs: legs.map(\.specification)),
            owner: .unknown, engine: "kernel", engineReason: "as it was found", membership: "as it was found",
            legs: legs,
            standing: .quarantined, problem: route.reason, differsFromFile: false, revision: 0)
    }

    /// Removes a route that is set aside; false where there is none of the name.
    func discardSetAside(_ name: String) throws(RoutingError) -> Bool {
        if let route = setAside.refused[name] {
            var records = route.journalled == nil ? [] : journal.removal(of: name)
            if let configured = route.intent.configured { records.append(try RouteLog.withdrawal(of: configured)) }
            try journal.append(records)
            if let configured = route.intent.configured { withdrawn[name] = configured }
            setAside.refused[name] = nil
            removeRemains(of: name, route)
            dropWhatNobodyOwns()
            fastPath.waitForGracePeriod()
            detachUnusedPorts()
            logger.info("route \(name): removed; it was refused: \(route.reason)")
            return true
        }
        guard let route = setAside.quarantined[name] else { return false }
        try journal.discard(unreadable: name)
        setAside.quarantined[name] = nil
        for flow in route.flows {
            fastPath.removeFlow(flow.handle)
            for leg in flow.legs { fastPath.removeLegCounter(leg.counter) }
        }
        dropWhatNobodyOwns()
        fastPath.waitForGracePeriod()
        detachUnusedPorts()
        logger.info("route \(name): removed; nobody owned it: \(route.reason)")
        return true
    }

    /// Keeps flows that were found and that no route is known for.
    func quarantine(_ flows: [FoundFlow], route: String, reason: String) {
        setAside.quarantined[route, default: .init(flows: [], reason: reason)].flows += flows
        let text =
            "continues as it was found, and nobody owns it: \(reason); 'crosspoint route remove \(route)' ends it"
        logger.error("route \(route): \(text)")
        events.record(.error, .routeQuarantined, route, "route \(route): \(text)")
    }

    /// Takes out of the fast path what an earlier process left of a refused route: its flow, unless a route of the name has it again,
    /// and the counters of its legs.
    func removeRemains(of name: String, _ route: SetAsideRoutes.Refused) {
        let flow = table[name]?.flow
        for found in fastPath.foundFlows() where found.route == name && found.handle != flow {
            fastPath.removeFlow(found.handle)
        }
        let used = Set(table[name]?.legs.map(\.counter) ?? [])
        for leg in route.journalled?.legs ?? [] where !used.contains(leg.counter) {
            fastPath.removeLegCounter(leg.counter)
        }
    }

    /// Gives back guards and sockets that no route claimed. While a flow continues as it was found they may be its.
    func dropWhatNobodyOwns() {
        guard setAside.quarantined.isEmpty, setAside.refused.values.allSatisfy({ $0.journalled == nil }) else { return }
        fastPath.removeUnusedGuards()
        let dropped = sockets.dropUnclaimed()
        if !dropped.isEmpty { logger.info("sockets nobody needs were closed: \(dropped.joined(separator: ", "))") }
    }

    /// Tries to install what was refused: an interface or an address may have come.
    func retryRefused() {
        guard !setAside.refused.isEmpty else { return }
        defer { dropWhatNobodyOwns() }
        for (name, route) in setAside.refused.sorted(by: { $0.key < $1.key }) {
            setAside.refused[name] = nil
            do throws(RoutingError) {
                if let journalled = route.journalled {
                    try adopt(journalled)
                } else {
                    let intent = route.intent
                    let aftermath = try makeLive(
                        [.add(intent.specification, owner: intent.owner, configured: intent.configured)],
                        legsMayWait: true)
                    Task { await self.finish(aftermath) }
                }
                logger.info("route \(name): is carried now")
                events.record(.notice, .routeLive, name, "route \(name): is carried now")
            } catch {
                if error != route.reason { logger.error("route \(name): \(error)") }
                setAside.refused[name] = SetAsideRoutes.Refused(
                    intent: route.intent, journalled: route.journalled, reason: error)
            }
        }
    }
}
