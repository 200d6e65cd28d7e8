// From changes to a plan, or to everything that is wrong with them.

import Netlink
import RTPWire

/// Checks a batch of changes against the node's routes and network. Pure: it changes nothing, and asks nobody.
struct RoutePlanner {
    /// The routes that run.
    let table: RouteTable
    /// The host's network; nil to check a file apart from any host.
    let view: NetworkView?
    /// The number of bytes by which a key makes packets longer; the text says whose key it is.
    var overhead: (KeyReference, String) throws(RoutingError) -> Int = { _, _ in 0 }
    /// True where a leg whose interface does not exist waits for it; else its route is refused.
    var legsMayWait = false

    /// A plan and its problems, one for each route that cannot be as wanted. A plan with problems is not to be carried out.
    struct Outcome {
        var routes: [PlannedRoute] = []
        var problems: [(route: String, error: RoutingError)] = []
    }

    func plan(_ changes: [RouteChange]) -> Outcome {
        var outcome = Outcome()
        var draft = PlanDraft(table: table)
        for change in changes {
            do throws(RoutingError) {
                try draft.take(change)
            } catch {
                outcome.problems.append((change.route, error))
            }
        }
        draft.index()
        var loads = LinkLoads(table: table, draft: draft, view: view, overhead: overhead)
        for route in draft.routes {
            do throws(RoutingError) {
                try check(route, in: draft)
                try loads.admit(route)
            } catch {
                outcome.problems.append((route.name, error))
            }
        }
        outcome.routes = draft.routes
        return outcome
    }

    /// Throws unless the leg can be added to the route: the checks of `plan`, without a look at the legs that the route has.
    func check(adding leg: LegSpecification, to state: RouteState) throws(RoutingError) {
        do { try state.specification.validate(adding: leg) } catch { throw RoutingError(error) }
        let draft = PlanDraft(table: table)
        try check(leg, of: state.intent, isNew: true, in: draft)
        var loads = LinkLoads(table: table, draft: draft, view: view, overhead: overhead)
        try loads.admit(
            PlannedRoute(name: state.specification.name, intent: state.intent, legs: [.new(leg)]),
            legCount: state.legs.count + 1)
    }

    /// Everything that can be wrong with a route, but for the capacity of links.
    private func check(_ route: PlannedRoute, in draft: PlanDraft) throws(RoutingError) {
        guard let intent = route.intent else { return }
        let specification = intent.specification
        do { try specification.validate() } catch { throw RoutingError(error) }
        let before = table[route.name]?.specification
        let place = RouteTable.Place(specification.source)
        if before?.source != specification.source {
            if let view, let problem = RouteChecks.source(specification.source, view: view) { throw problem }
            let others = draft.sources(at: place, except: route.name)
            if let clash = RouteChecks.clash(specification.source, with: others) { throw clash }
            // The new source must not be what another route's leg feeds.
            if let other = draft.legs(at: place, except: route.name).first {
                throw RoutingError(
                    .conflict,
                    "source \(specification.source): is fed by \(other.text), a loop; use another group, UDP port or interface"
                )
            }
        }
        let isElsewhere = before.map { !$0.source.isSameDestination(as: specification.source) } ?? true
        for leg in route.legs where isElsewhere || !leg.isKept {
            try check(leg.specification, of: intent, isNew: !leg.isKept, in: draft)
        }
    }

    private func check(
        _ leg: LegSpecification, of intent: RouteIntent, isNew: Bool, in draft: PlanDraft
    ) throws(RoutingError) {
        let name = intent.specification.name
        if !legsMayWait, let view, view.interface(named: leg.port.interface) == nil {
            throw RouteChecks.noInterface(leg.port.interface, of: "leg \(leg)", view: view)
        }
        let place = RouteTable.Place(leg)
        let source = intent.specification.source
        let own = RouteTable.Place(source) == place ? [(name: name, source: source)] : []
        let sources = own + draft.sources(at: place, except: name)
        if let loop = RouteChecks.loop(leg, route: name, sources: sources, view: view) { throw loop }
        // A session's peers say themselves where they receive.
        guard isNew, intent.owner != .session, !intent.specification.isForced, !leg.isForced,
            leg.carriesMedia(of: intent.specification)
        else { return }
        if let other = draft.legs(at: place, except: name).first(where: { $0.carriesMedia && !$0.isForced }) {
            throw RoutingError(
                .conflict,
                "leg \(leg): \(other.text) sends there already, and a receiver of two streams at once has neither; remove "
                    + "that leg, 'crosspoint route take' the other source, or --force")
        }
    }
}

extension LegSpecification {
    /// True where copies of a route's media go there, and not its RTCP alone.
    func carriesMedia(of route: RouteSpecification) -> Bool { route.payload != .rtcp && packets != .rtcp }
}

extension [RouteSpecification] {
    /// The problems of these routes together, apart from any host: a line for each route that cannot be.
    public func problems() -> [String] {
        RoutePlanner(table: RouteTable(), view: nil).plan(map { .add($0, owner: .configuration) }).problems
            .map { "route \($0.route): \($0.error)" }
    }
}
