// The one writer of the fast path: routes become flows, legs, memberships and neighbour requests here.

public import AFXDP
public import FastPath
public import Logging
public import Netlink
import RTPWire

/// Owns every route of the node.
///
/// All changes of flows, groups and legs go through this actor, whoever asks: the command line, the configuration or
/// a session. A change returns when it is live in the fast path, and a removal when no packet uses what was removed.
public actor FlowController: SessionRouteControl {
    let fastPath: FastPath
    let network: any HostNetwork
    let journal: RouteJournal
    let logger: Logger
    var sockets: HeldSockets
    var view = NetworkView()
    var table = RouteTable()
    /// Who needs a neighbour kept resolved, by number of legs.
    var neighbourUses: [NetworkView.NeighbourKey: Int] = [:]
    /// Destinations whose sources may still send.
    var draining = DrainingFlows()
    /// Interfaces that stay attached whether routes use them or not.
    var configuredPorts: Set<String> = []
    private let thread: ControllerThread
    let hostPortSettings: HostPortSettings
    let packetEngine: PacketEngine
    /// What kept the AF_XDP engine from working as it should, the last time; nil when nothing did.
    var engineProblem: String?
    var keys: KeyStore
    /// By the name of a session's key: what legs encrypt with.
    var sharedSending: [String: Protection] = [:]
    /// The interface that the host port's guards stand for.
    var guardedHostPort: UInt32?
    /// Routes with legs that were opened at a gate not long ago.
    var gatedRoutes: Set<String> = []
    /// Who wants to know of first packets and unknown sources of sessions' routes.
    var sessionEvents: [Int: AsyncStream<SessionRouteEvent>.Continuation] = [:]
    var nextSessionEvents = 0
    /// How often `tick` was called.
    var seconds = 0
    /// Who waits for a route's legs to be in the fast path.
    private var legWaiters: [String: [CheckedContinuation<RoutingError?, Never>]] = [:]
    private var graceWaiters: [CheckedContinuation<Void, Never>] = []
    private var graceIsRunning = false

    /// A place that a guard stands for.
    enum GuardedPlace: Hashable {
        case group(IPAddress, interfaceIndex: UInt32, vlans: [UInt16])
        case address(IPAddress, udpPort: UInt16)
    }

    /// Takes over what an earlier process left: the fast path, the journal and the stored sockets.
    ///
    /// Routes of the journal go on as they were: their flows are found in the fast path, where not a packet was lost.
    ///
    /// - Parameters:
    ///   - hostPort: how the host port is called and addressed, once somebody needs it.
    ///   - engine: how AF_XDP workers work, once a route needs them.
    ///   - keys: where the keys of routes are.
    public init(
        fastPath: FastPath, network: any HostNetwork, store: any DescriptorStore, journal: RouteJournal, logger: Logger,
        keys: KeyPaths = KeyPaths(), hostPort: HostPortSettings = HostPortSettings(),
        engine: EngineSettings = EngineSettings()
    ) throws {
        self.fastPath = fastPath
        self.network = network
        self.journal = journal
        self.logger = logger
        self.keys = KeyStore(paths: keys)
        hostPortSettings = hostPort
        packetEngine = PacketEngine(fastPath: fastPath, settings: engine)
        thread = try ControllerThread()
        sockets = try HeldSockets(store: store)
        try view.refresh(network)
    }

    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    // MARK: RouteControl

    public func add(_ route: RouteSpecification, owner: RouteOwner) async throws(RoutingError) -> RouteReport {
        try checkNew(route)
        try install(route, owner: owner, journalled: nil)
        return report(table[route.name])
    }

    public func remove(route name: String) async throws(RoutingError) {
        guard let state = table[name] else { throw noRoute(name) }
        await remove([state])
    }

    /// Removes routes; returns when no packet uses them.
    func remove(_ states: [RouteState]) async {
        for state in states {
            table[state.specification.name] = nil
            journal.remove(state.specification.name)
            uninstall(state)
        }
        await gracePeriod()
        for leg in states.flatMap(\.legs) { fastPath.removeLegCounter(leg.counter) }
        refreshEngine()
        detachUnusedPorts()
    }

    public func take(route name: String, source: SourceSpecification) async throws(RoutingError) -> RouteReport {
        guard let old = table[name] else { throw noRoute(name) }
        var specification = old.specification
        specification.source = source
        if source == old.specification.source { return report(old) }
        try check(specification, except: name)
        if source.isSameDestination(as: old.specification.source), let flow = old.flow, let key = old.key,
            fastPath.hasOwnDestination(flow)
        {
            return try changeFilter(of: old, to: specification, flow: flow, key: key)
        }
        // Make before break: the new source is joined and accounted before the old one is let go. But one slot of the
        // fast path can't take packets of any source both for the old flow and for the new one.
        let isInPlace = source.source == nil && source.isSameDestination(as: old.specification.source)
        let isSameFlow = isInPlace && old.specification.source.hasSameFilter(as: source)
        if isInPlace, !isSameFlow, let flow = old.flow { fastPath.drainFlow(flow) }
        var new = RouteState(specification: specification, owner: old.owner, parameters: specification.flowParameters)
        do {
            try establishSource(&new)
            new.legs = old.legs.map { leg in
                var leg = leg
                leg.flowFamily = source.address.family
                // Another flow has other sequence numbers.
                leg.gate = nil
                return leg
            }
            new.nextLegNumber = old.nextLegNumber
            try chooseEngine(for: &new)
            try write(new)
            if let flow = new.flow {
                fastPath.setParameters(new.parameters, of: flow)
                if let before = old.flow, before != flow { try setLegs([], of: before) }
                for leg in new.legs { describe(leg, flow: flow) }
                try setLegs(new.readyLegs, of: flow)
            }
        } catch {
            restore(old, after: new, sharesFlow: isSameFlow, wasDrained: isInPlace && !isSameFlow)
            throw error
        }
        table[name] = new
        if isInPlace { releaseHold(of: old) } else { releaseSource(of: old, drains: true) }
        // The route may be gone after the wait.
        let result = report(new)
        await gracePeriod()
        refreshEngine()
        detachUnusedPorts()
        return result
    }

    /// Takes packets of other senders for the same flow: its statistics and legs go on, and nothing is missed.
    private func changeFilter(
        of old: RouteState, to specification: RouteSpecification, flow: FlowHandle, key: FlowKey
    ) throws(RoutingError) -> RouteReport {
        let source = specification.source
        var new = old
        new.specification = specification
        new.key = FlowKey(
            interfaceIndex: key.interfaceIndex, vlans: key.vlans, destination: key.destination, udpPort: key.udpPort,
            source: source.source, sourceUDPPort: source.sourceUDPPort)
        new.socket = nil
        if source.srtp != old.specification.source.srtp {
            new.receiving = try makeReceiving(specification)
            new.parameters.isEncrypted = source.srtp != nil
            try chooseEngine(for: &new)
        }
        try hold(&new, interfaceIndex: key.interfaceIndex)
        do {
            try write(new)
        } catch {
            releaseHold(of: new)
            throw error
        }
        if new.receiving?.context != old.receiving?.context {
            // Without legs nothing is half the one and half the other.
            try setLegs([], of: flow)
            fastPath.setContext(new.receiving?.context, of: flow)
            fastPath.setParameters(new.parameters, of: flow)
            try setLegs(new.readyLegs, of: flow)
        }
        if let key = new.key { fastPath.changeFilter(key, label: specification.label, of: flow) }
        new.membershipProblem = nil
        table[specification.name] = new
        releaseHold(of: old)
        return report(new)
    }

    /// Undoes a take that failed.
    private func restore(_ old: RouteState, after new: RouteState, sharesFlow: Bool, wasDrained: Bool) {
        if sharesFlow { releaseHold(of: new) } else { releaseSource(of: new, drains: true) }
        var state = old
        if wasDrained {
            state.flow = nil
            try? establishSource(&state)
            releaseHold(of: old)
        }
        if let flow = state.flow {
            for leg in state.legs { describe(leg, flow: flow) }
            try? setLegs(state.readyLegs, of: flow)
        }
        table[state.specification.name] = state
        try? write(state)
    }

    public func addLeg(
        _ leg: LegSpecification, to name: String, force: Bool
    ) async throws(RoutingError) -> LegReport {
        try await addLeg(leg, to: name, force: force, isShut: false)
    }

    func addLeg(
        _ leg: LegSpecification, to name: String, force: Bool, isShut: Bool
    ) async throws(RoutingError) -> LegReport {
        guard var state = table[name] else { throw noRoute(name) }
        try valid { () throws(SpecificationError) in try state.specification.validate(adding: leg) }
        try check(leg: leg, of: state.specification)
        state.specification.legs.append(leg)
        if !force, !state.specification.isForced { try admit([leg], route: state.specification, state: state) }
        var new = try makeLeg(leg, number: state.nextLegNumber, of: state)
        new.isShut = isShut
        resolve(&new)
        state.nextLegNumber += 1
        state.legs.append(new)
        do {
            try chooseEngine(for: &state)
            try record(.leg(new.journalled), of: &state)
        } catch {
            release(neighbour: new.neighbour)
            fastPath.removeLegCounter(new.counter)
            throw error
        }
        table[name] = state
        do {
            try await applyLegs(of: name)
        } catch {
            discard(new, of: name)
            throw error
        }
        return report(table[name]?.legs.first { $0.counter == new.counter } ?? new)
    }

    /// Forgets a leg that could not be put into the fast path, unless it went with its route.
    private func discard(_ leg: LegState, of name: String) {
        guard var state = table[name], let index = state.leg(leg.number), state.legs[index].counter == leg.counter
        else {
            return
        }
        release(neighbour: state.legs[index].neighbour)
        fastPath.removeLegCounter(leg.counter)
        state.legs.remove(at: index)
        state.specification.legs.remove(at: index)
        try? record(.removed(leg.number), of: &state)
        table[name] = state
    }

    public func removeLeg(_ number: UInt32, from name: String) async throws(RoutingError) {
        guard var state = table[name] else { throw noRoute(name) }
        guard let index = state.leg(number) else { throw noLeg(number, state) }
        let leg = state.legs.remove(at: index)
        state.specification.legs.remove(at: index)
        try record(.removed(number), of: &state)
        table[name] = state
        // A removal that fails is repeated with the next change of the legs: the leg is gone for everybody else.
        do {
            try await applyLegs(of: name)
        } catch {
            logger.error("route \(name): leg \(number) could not be taken out yet: \(error)")
        }
        release(neighbour: leg.neighbour)
        await gracePeriod()
        fastPath.removeLegCounter(leg.counter)
        refreshEngine()
        detachUnusedPorts()
    }

    public func setLeg(
        _ number: UInt32, of name: String, to leg: LegSpecification
    ) async throws(RoutingError) -> LegReport {
        guard var state = table[name] else { throw noRoute(name) }
        guard let index = state.leg(number) else { throw noLeg(number, state) }
        let old = state.legs[index]
        if old.specification == leg { return report(old) }
        try valid { () throws(SpecificationError) in try state.specification.validate(adding: leg, at: index) }
        try check(leg: leg, of: state.specification)
        state.specification.legs[index] = leg
        if !state.specification.isForced, old.specification.port.interface != leg.port.interface {
            try admit([leg], route: state.specification, state: state)
        }
        try attachPort(leg.port.interface, of: "leg \(leg)")
        var new = old
        new.specification = leg
        if leg.srtp != old.specification.srtp || leg.packets != old.specification.packets {
            new.protection = try makeSending(leg, of: state.specification, receiving: state.receiving)
        }
        resolve(&new)
        state.legs[index] = new
        do {
            try chooseEngine(for: &state)
            try activate(state, .leg(new.journalled))
        } catch {
            release(neighbour: new.neighbour)
            throw error
        }
        release(neighbour: old.neighbour)
        if let flow = state.flow { describe(new, flow: flow) }
        return report(new)
    }

    public func route(_ name: String) async throws(RoutingError) -> RouteReport {
        guard let state = table[name] else { throw noRoute(name) }
        return report(state)
    }

    public func routes() async -> [RouteReport] {
        table.values.sorted { $0.specification.name < $1.specification.name }.map(report)
    }

    public func reconcile(configuration routes: [RouteSpecification]) async -> ReconcileReport {
        var result = ReconcileReport()
        let wanted = Dictionary(routes.map { ($0.name, $0) }) { first, _ in first }
        let owned = table.values.filter { $0.owner == .configuration }.map(\.specification)
        // What goes first makes room for what comes.
        for old in owned.sorted(by: { $0.name < $1.name }) where wanted[old.name] == nil {
            do {
                try await remove(route: old.name)
                result.removed.append(old.name)
            } catch {
                result.failures.append("route \(old.name): \(error)")
            }
        }
        for route in routes {
            do throws(RoutingError) {
                try await reconcile(route, &result)
            } catch {
                result.failures.append("route \(route.name): \(error)")
            }
        }
        result.failures += renewKeys()
        return result
    }

    private func reconcile(_ route: RouteSpecification, _ result: inout ReconcileReport) async throws(RoutingError) {
        guard let old = table[route.name] else {
            _ = try await add(route, owner: .configuration)
            return result.added.append(route.name)
        }
        guard old.owner != .session else {
            throw RoutingError(
                .conflict,
                "a session has a route of that name; choose another name, or end the session with "
                    + "'crosspoint session close'")
        }
        if old.specification == route {
            table[route.name]?.owner = .configuration
            return result.unchanged.append(route.name)
        }
        try await change(old, to: route)
        table[route.name]?.owner = .configuration
        if let state = table[route.name] { try write(state) }
        result.changed.append(route.name)
    }

    /// Turns a route into another of the same name, leaving alone what stays: legs that are in both miss nothing.
    private func change(_ old: RouteState, to route: RouteSpecification) async throws(RoutingError) {
        var settings = old.specification
        settings.source = route.source
        settings.legs = route.legs
        settings.engine = route.engine
        guard settings == route else {
            try check(route, except: route.name)
            try await remove(route: route.name)
            do {
                _ = try await add(route, owner: old.owner)
            } catch {
                _ = try? await add(old.specification, owner: old.owner)
                throw error
            }
            return
        }
        try check(route, except: route.name)
        if route.engine != old.specification.engine { _ = try await setEngine(route.engine, of: route.name) }
        if route.source != old.specification.source { _ = try await take(route: route.name, source: route.source) }
        for leg in old.legs where !route.legs.contains(leg.specification) {
            try await removeLeg(leg.number, from: route.name)
        }
        for leg in route.legs where !old.legs.contains(where: { $0.specification == leg }) {
            _ = try await addLeg(leg, to: route.name, force: route.isForced)
        }
    }

    // MARK: Legs of one moment

    /// Returns when the fast path has the route's legs as they are now. All changes of one moment share one new set: a set
    /// of hundreds of legs takes its time, and a hundred players may come at once. Routes whose legs go to the same
    /// ports, as the streams of a presentation and their RTCP do, share the shape too, when they change in one moment.
    private func applyLegs(of name: String) async throws(RoutingError) {
        let problem = await withCheckedContinuation { continuation in
            let isFirst = legWaiters.isEmpty
            legWaiters[name, default: []].append(continuation)
            // Behind the calls that wait for this actor already.
            if isFirst { Task { self.applyWaitingLegs() } }
        }
        if let problem { throw problem }
    }

    private func applyWaitingLegs() {
        let waiting = legWaiters
        legWaiters.removeAll(keepingCapacity: true)
        for (name, waiters) in waiting {
            var problem: RoutingError?
            do throws(RoutingError) {
                guard let state = table[name] else { throw noRoute(name) }
                if let flow = state.flow {
                    try setLegs(state.readyLegs, of: flow)
                    fastPath.setParameters(state.parameters, of: flow)
                }
            } catch {
                problem = error
            }
            for waiter in waiters { waiter.resume(returning: problem) }
        }
    }

    // MARK: Removal and grace periods

    /// Returns when no packet uses what was removed before the call. All callers of one moment share one wait.
    func gracePeriod() async {
        await withCheckedContinuation { continuation in
            graceWaiters.append(continuation)
            guard !graceIsRunning else { return }
            graceIsRunning = true
            Task { await self.runGracePeriods() }
        }
    }

    private func runGracePeriods() async {
        while !graceWaiters.isEmpty {
            let waiters = graceWaiters
            graceWaiters.removeAll()
            fastPath.beginGracePeriod()
            await GracePeriod.elapsed()
            fastPath.endGracePeriod()
            waiters.forEach { $0.resume() }
        }
        graceIsRunning = false
    }

    func noRoute(_ name: String) -> RoutingError {
        RoutingError(.notFound, "route \(name): no such route; 'crosspoint route list' shows all")
    }

    func noLeg(_ number: UInt32, _ state: RouteState) -> RoutingError {
        let numbers = state.legs.map { "\($0.number)" }.joined(separator: ", ")
        let have = state.legs.isEmpty ? "it has none" : "it has \(numbers)"
        return RoutingError(.notFound, "route \(state.specification.name): no leg \(number); \(have)")
    }
}
