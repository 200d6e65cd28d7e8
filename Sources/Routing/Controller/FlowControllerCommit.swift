// From a batch of changes to a data plane that has all of them, or none.

import Events
import FastPath
import Journal
import Logging
import Netlink
import RTPWire
import SRTP

extension FlowController {
    /// Makes a batch of changes live, as a whole or not at all; returns when nothing uses any more what it removed.
    ///
    /// - Parameter records: further records for the journal, which come first.
    @discardableResult
    func commit(
        _ changes: [RouteChange], with records: [JournalChange] = []
    ) async throws(RoutingError) -> [String: RouteReport] {
        let aftermath = try makeLive(changes, with: records)
        await finish(aftermath)
        return aftermath.reports
    }

    /// The same within one turn of the actor; `finish` is still to be called.
    ///
    /// - Parameter legsMayWait: true where a leg whose interface does not exist waits for it; else its route is refused.
    func makeLive(
        _ changes: [RouteChange], with records: [JournalChange] = [], legsMayWait: Bool = false
    ) throws(RoutingError) -> CommitAftermath {
        let plan = try plan(changes, legsMayWait: legsMayWait)
        revision += 1
        var batch: [StagedRoute] = []
        defer { staging.removeAll() }
        do throws(RoutingError) {
            let vacated = vacatedFlows(by: plan)
            for route in plan {
                batch.append(try stage(route, vacated: vacated))
                if let state = batch.last?.after { staging[route.name] = state }
            }
            try reach(.staged)
            var written = records
            for route in batch { written += try self.records(of: route) }
            try journal.append(written)
        } catch {
            // A process that has ended cleans nothing up.
            if !hasEnded { abandon(batch) }
            throw error
        }
        try reach(.journalled)
        let aftermath = try publish(batch)
        for staged in batch { report(staged) }
        try reach(.released)
        return aftermath
    }

    /// Removes routes of sessions where the journal cannot be written: a restart finds their records, and their agents remove them again.
    func removeUnjournalled(_ names: [String]) -> CommitAftermath {
        revision += 1
        let batch = names.compactMap { name in
            table[name].map { state in
                var staged = StagedRoute(name: name, before: state)
                staged.removed = state.legs
                return staged
            }
        }
        return (try? publish(batch)) ?? CommitAftermath()
    }

    /// Does the rest of a commit: a grace period for what it took out of use.
    func finish(_ aftermath: CommitAftermath) async {
        if aftermath.needsGracePeriod {
            await gracePeriod()
            for counter in aftermath.counters { fastPath.removeLegCounter(counter) }
            // Whatever the journal says was removed is out of the fast path: a change is journalled and published in one turn.
            journal.forgetRemoved()
        }
        refreshEngine()
        detachUnusedPorts()
    }

    /// Checks a batch, without any effect but that the host port is made where it is named.
    func plan(_ changes: [RouteChange], legsMayWait: Bool = false) throws(RoutingError) -> [PlannedRoute] {
        for change in changes { try makeHostPort(for: change) }
        for change in changes where table[change.route] == nil {
            if let problem = setAsideProblem(change.route, removing: change.isRemoval) { throw problem }
        }
        var planner = planner
        planner.legsMayWait = legsMayWait
        let outcome = planner.plan(changes)
        guard let first = outcome.problems.first else { return outcome.routes }
        guard changes.count > 1 else { throw first.error }
        let lines = outcome.problems.map { "route \($0.route): \(Self.message(of: $0.error, without: $0.route))" }
        throw RoutingError(first.error.code, lines[0], details: lines)
    }

    private static func message(of error: RoutingError, without route: String) -> String {
        let prefix = "route \(route): "
        return error.message.hasPrefix(prefix) ? String(error.message.dropFirst(prefix.count)) : error.message
    }

    var planner: RoutePlanner {
        RoutePlanner(table: table, view: view) { [keys] (key, endpoint) throws(RoutingError) in
            try keys.material(key.key, of: endpoint).overhead
        }
    }

    private func makeHostPort(for change: RouteChange) throws(RoutingError) {
        let ports: [PortReference] =
            switch change {
            case .add(let route, _, _), .replace(let route, _, _): [route.source.port] + route.legs.map(\.port)
            case .setLeg(_, _, let leg): [leg.port]
            case .remove: []
            }
        if ports.contains(where: \.isHost) { try makeHostPort() }
    }

    /// A test's process ends here.
    private func reach(_ step: CommitStep) throws(RoutingError) {
        guard let endsAt, endsAt(step) else { return }
        hasEnded = true
        throw RoutingError(.failed, "ended at a step of a commit")
    }

    // MARK: Staging

    /// The flows that routes of a plan give up, by their places.
    func vacatedFlows(by plan: [PlannedRoute]) -> [RouteTable.Place: [RouteState]] {
        var vacated: [RouteTable.Place: [RouteState]] = [:]
        for route in plan {
            guard let state = table[route.name], state.flow != nil else { continue }
            let source = state.specification.source
            if let after = route.intent?.specification.source, after.isSameDestination(as: source) { continue }
            vacated[RouteTable.Place(source), default: []].append(state)
        }
        return vacated
    }

    private func stage(
        _ plan: PlannedRoute, vacated: [RouteTable.Place: [RouteState]]
    ) throws(RoutingError) -> StagedRoute {
        var staged = StagedRoute(name: plan.name, before: table[plan.name])
        do throws(RoutingError) {
            guard var intent = plan.intent else {
                staged.removed = staged.before?.legs ?? []
                return staged
            }
            if let before = staged.before { intent.id = before.intent.id }
            intent.revision = revision
            intent.author = EventAuthor.current
            var state = staged.before ?? RouteState(intent: intent, parameters: intent.specification.flowParameters)
            state.intent = intent
            try stageSource(&state, &staged, vacated: vacated)
            staged.after = state
            try stageLegs(of: plan, &state, &staged)
            try chooseEngine(for: &state)
            staged.after = state
            if state.readyLegs != staged.before?.readyLegs || staged.source != .kept {
                let legs = state.readyLegs
                staged.legs = try fastPathCall { () throws(FastPathError) in try fastPath.prepareLegs(legs) }
            }
            return staged
        } catch {
            abandon([staged])
            throw error
        }
    }

    /// Sees to the flow of a route: the one that it has where that can be, else another one.
    private func stageSource(
        _ state: inout RouteState, _ staged: inout StagedRoute, vacated: [RouteTable.Place: [RouteState]]
    ) throws(RoutingError) {
        let specification = state.specification
        let source = specification.source
        if let before = staged.before {
            let old = before.specification
            if old.source == source, old.delivery == specification.delivery {
                if old.flowParameters != specification.flowParameters { state.adoptParameters(from: before) }
                return
            }
            if source.isSameDestination(as: old.source), let flow = before.flow, let key = before.key {
                let hasSameFilter = source.hasSameFilter(as: old.source)
                if hasSameFilter || fastPath.hasOwnDestination(flow) || source.source == nil {
                    return try keepFlow(
                        flow, key, &state, &staged, before, hasSameFilter: hasSameFilter)
                }
            }
        }
        state.leaveFlow()
        if let others = vacated[RouteTable.Place(source)], !others.isEmpty {
            return try takeOver(others, &state, &staged)
        }
        try establishSource(&state)
        staged.source = .installed
        staged.isHeld = true
    }

    /// Keeps the flow at its destination, for other senders or with another membership.
    private func keepFlow(
        _ flow: FlowHandle, _ key: FlowKey, _ state: inout RouteState, _ staged: inout StagedRoute,
        _ before: RouteState,
        hasSameFilter: Bool
    ) throws(RoutingError) {
        let source = state.specification.source
        let new = key.with(source)
        state.key = new
        state.socket = nil
        if source.srtp != before.specification.source.srtp
            || state.specification.delivery != before.specification.delivery
        {
            state.receiving = try makeReceiving(state.specification)
            staged.changesContext = before.receiving != nil || state.receiving != nil
        }
        state.adoptParameters(from: before)
        try hold(&state, interfaceIndex: key.interfaceIndex)
        staged.isHeld = true
        state.membershipProblem = nil
        if hasSameFilter {
            staged.source = .held
        } else if fastPath.hasOwnDestination(flow) {
            staged.source = .refiltered
        } else {
            staged.source = .late(new, try attachPort(source.port.interface, of: "source \(source)"))
        }
    }

    /// Takes the flow of a route that gives it up; or, where none takes the same packets, their destination.
    private func takeOver(
        _ others: [RouteState], _ state: inout RouteState, _ staged: inout StagedRoute
    ) throws(RoutingError) {
        let source = state.specification.source
        let (port, index) = try ingress(of: source)
        let key = FlowKey(source, interfaceIndex: index)
        state.key = key
        state.receiving = try makeReceiving(state.specification)
        if let donor = others.first(where: { $0.specification.source.hasSameFilter(as: source) }) {
            state.flow = donor.flow
            staged.changesContext = donor.receiving != nil || state.receiving != nil
            state.observation = donor.observation
            state.firstArrival = donor.firstArrival
            state.adoptParameters(from: donor)
            staged.source = .inherited(from: donor.specification.name)
        } else {
            // The flow in which its legs are counted until it has a flow of its own.
            state.flow = staged.before?.flow ?? others.first?.flow
            staged.source = .late(key, port)
        }
        try hold(&state, interfaceIndex: index)
        staged.isHeld = true
    }

    private func stageLegs(
        of plan: PlannedRoute, _ state: inout RouteState, _ staged: inout StagedRoute
    ) throws(RoutingError) {
        let family = state.specification.source.address.family
        let old = Dictionary((staged.before?.legs ?? []).map { ($0.number, $0) }) { first, _ in first }
        let isOtherFlow = staged.source.isOtherFlow || staged.before == nil
        let isOtherPayload = staged.before.map { $0.specification.payload != state.specification.payload } ?? false
        var legs: [LegState] = []
        for planned in plan.legs {
            let leg = planned.specification
            guard let number = planned.number, var present = old[number] else {
                var new = try makeLeg(leg, number: state.nextLegNumber, of: state)
                staged.counters.append(new.counter)
                state.nextLegNumber += 1
                resolve(&new, of: plan.name)
                if let key = new.neighbour { staged.retained.append(key) }
                staged.written.insert(new.number)
                legs.append(new)
                continue
            }
            present.flowFamily = family
            // Another flow has other sequence numbers.
            if isOtherFlow { present.gate = nil }
            let before = present.specification
            if before != leg {
                try attachPort(of: leg)
                present.specification = leg
                if let key = present.neighbour { staged.released.append(key) }
                resolve(&present, of: plan.name)
                if let key = present.neighbour { staged.retained.append(key) }
                staged.written.insert(number)
            }
            if leg.srtp != before.srtp || leg.packets != before.packets || (leg.srtp != nil && isOtherPayload) {
                present.protection = try makeSending(leg, of: state.specification, receiving: state.receiving)
            }
            legs.append(present)
        }
        let numbers = Set(legs.map(\.number))
        staged.removed = (staged.before?.legs ?? []).filter { !numbers.contains($0.number) }
        staged.released += staged.removed.compactMap(\.neighbour)
        state.legs = legs
    }

    /// The records of a staged route.
    private func records(of staged: StagedRoute) throws(RoutingError) -> [JournalChange] {
        let removed = staged.removed.map { JournalChange(LegRecord.key($0.number, of: staged.name), nil) }
        guard let state = staged.after else { return [JournalChange(RouteRecord.key(staged.name), nil)] + removed }
        var records = [try RouteLog.change(state)]
        for leg in state.legs where staged.written.contains(leg.number) {
            records.append(try RouteLog.change(leg, of: state))
        }
        return records + removed
    }

    /// Gives back what was staged.
    private func abandon(_ batch: [StagedRoute]) {
        for staged in batch.reversed() {
            for key in staged.retained { release(neighbour: key, of: staged.name) }
            for counter in staged.counters { fastPath.removeLegCounter(counter) }
            if let legs = staged.legs { fastPath.discard(legs) }
            guard staged.isHeld, let state = staged.after else { continue }
            if staged.source == .installed { releaseSource(of: state, drains: false) } else { releaseHold(of: state) }
        }
        staging.removeAll()
        if !batch.isEmpty {
            refreshEngine()
            detachUnusedPorts()
        }
    }

    // MARK: Publishing

    /// Makes staged routes visible. Nothing of it can fail but a flow that is installed late, which is reported as the route's problem.
    private func publish(_ batch: [StagedRoute]) throws(RoutingError) -> CommitAftermath {
        var aftermath = CommitAftermath()
        var inherited: Set<String> = []
        for staged in batch {
            if case .inherited(let name) = staged.source { inherited.insert(name) }
        }
        for staged in batch where staged.after == nil {
            guard let before = staged.before else { continue }
            table[staged.name] = nil
            for leg in before.legs { release(neighbour: leg.neighbour, of: staged.name) }
            if inherited.contains(staged.name) {
                releaseHold(of: before)
            } else {
                releaseSource(of: before, drains: true)
            }
            aftermath.counters += before.legs.map(\.counter)
            aftermath.needsGracePeriod = true
        }
        for staged in batch {
            guard let after = staged.after else { continue }
            publish(staged, after, isDonor: inherited.contains(staged.name), &aftermath)
            try reach(.published)
        }
        for staged in batch {
            if let state = table[staged.name], staged.after != nil { aftermath.reports[staged.name] = report(state) }
        }
        return aftermath
    }

    private func publish(
        _ staged: StagedRoute, _ after: RouteState, isDonor: Bool, _ aftermath: inout CommitAftermath
    ) {
        var state = after
        let before = staged.before
        if case .late(let key, let port) = staged.source { installLate(key, port, &state, before) }
        if let flow = state.flow {
            if staged.source == .refiltered, let key = state.key {
                fastPath.changeFilter(key, label: state.label, of: flow)
            }
            let isOtherFlow = before?.flow != flow
            if staged.changesContext {
                // Without legs nothing is half the one and half the other.
                fastPath.publish(.none, of: flow)
                fastPath.setContext(state.receiving?.context, of: flow)
            }
            if state.parameters != before?.parameters || isOtherFlow {
                fastPath.setParameters(state.parameters, of: flow)
            }
            if before?.label != state.label {
                fastPath.setLabel(state.label, of: flow)
            }
            for leg in state.legs where isOtherFlow || staged.written.contains(leg.number) { describe(leg, flow: flow) }
            // One store after the other: the old flow ends, and the new one begins.
            if isOtherFlow, !isDonor, let old = before?.flow { fastPath.publish(.none, of: old) }
            if let legs = staged.legs { fastPath.publish(legs, of: flow) }
            judgeHardwareAddress(of: state)
        } else if let legs = staged.legs {
            fastPath.discard(legs)
        }
        table[staged.name] = state
        if staged.isHeld, let before {
            switch staged.source {
            case .installed, .inherited:
                if isDonor { releaseHold(of: before) } else { releaseSource(of: before, drains: true) }
            case .late
            where before.flow != nil && before.flow != state.flow && !isDonor && !isAtSamePlace(before, state):
                releaseSource(of: before, drains: true)
            case .held, .refiltered, .late: releaseHold(of: before)
            case .kept: break
            }
        }
        for key in staged.released { release(neighbour: key, of: staged.name) }
        aftermath.counters += staged.removed.map(\.counter)
        if staged.legs != nil || !staged.removed.isEmpty || staged.isHeld {
            aftermath.needsGracePeriod = aftermath.needsGracePeriod || before != nil
        }
    }

    private func isAtSamePlace(_ one: RouteState, _ other: RouteState) -> Bool {
        one.specification.source.isSameDestination(as: other.specification.source)
    }

    /// Installs a flow whose destination was another one's until now.
    private func installLate(
        _ key: FlowKey, _ port: Port, _ state: inout RouteState, _ before: RouteState?
    ) {
        if let before, let flow = before.flow, isAtSamePlace(before, state) { fastPath.drainFlow(flow) }
        for entry in draining.remove(key) { if let place = entry.guarded { removeGuard(place) } }
        do throws(RoutingError) {
            state.flow = try fastPathCall { () throws(FastPathError) in
                try fastPath.installFlow(key, state.parameters, port: port, label: state.label)
            }
            if let flow = state.flow { fastPath.setContext(state.receiving?.context, of: flow) }
        } catch {
            state.flow = nil
            state.membershipProblem = "\(error)"
            logger.error("route \(state.specification.name): \(error)")
        }
    }
}

extension FlowKey {
    /// The key of a source's packets on an interface.
    init(_ source: SourceSpecification, interfaceIndex: UInt32) {
        self.init(
            interfaceIndex: interfaceIndex, vlans: source.port.vlans, destination: source.address,
            udpPort: source.udpPort, source: source.source, sourceUDPPort: source.sourceUDPPort)
    }

    /// The same key for another source at the same destination.
    func with(_ source: SourceSpecification) -> FlowKey { FlowKey(source, interfaceIndex: interfaceIndex) }
}

extension RouteState {
    /// Forgets the flow that the route has: it is to have another one.
    fileprivate mutating func leaveFlow() {
        parameters = specification.flowParameters
        (key, flow, socket, receiving) = (nil, nil, nil, nil)
        (membershipProblem, engineProblem, firstArrival) = (nil, nil, nil)
        observation = FlowObservation()
    }

    /// Takes the parameters of the specification, with the values that were learned of a flow that continues.
    fileprivate mutating func adoptParameters(from before: RouteState) {
        let learned = before.parameters
        parameters = specification.flowParameters
        parameters.packetRate = learned.packetRate
        parameters.reportsFirstPacket = learned.reportsFirstPacket
        if parameters.clockRate == nil, parameters.payload == learned.payload, before.specification.clockRate == nil {
            parameters.clockRate = learned.clockRate
        }
    }
}
