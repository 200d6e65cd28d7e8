// The one writer of the fast path: routes become flows, legs, memberships and neighbour requests here.

public import AFXDP
public import Events
public import FastPath
import Journal
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
    let journal: RouteLog
    let logger: Logger
    /// The receiver of changes and edges.
    let events: EventLog
    var sockets: HeldSockets
    var view = NetworkView()
    var table = RouteTable()
    /// Counts the changes of what is wanted.
    var revision: UInt64 = 0
    /// The routes of a batch that is being staged: what they need is needed, too.
    var staging: [String: RouteState] = [:]
    /// Configured routes that were removed at run time, as the file had them.
    var withdrawn: [String: RouteSpecification] = [:]
    /// Routes that are wanted and cannot be carried now, and those that are carried and not understood.
    var setAside = SetAsideRoutes()
    /// True for the steps of a commit at which the process ends; for tests.
    var endsAt: ((CommitStep) -> Bool)?
    var hasEnded = false
    /// The routes that need a neighbour kept resolved, with the number of their legs that do.
    var neighbourUses: [NetworkView.NeighbourKey: [String: Int]] = [:]
    /// The changes of the network since legs were last looked at.
    var networkChanges = NetworkChanges()
    var isLooking = false
    /// The reason for which sockets are not kept outside this process; nil where they are.
    var storeProblem: RoutingError?
    /// Destinations whose sources may still send.
    var draining = DrainingFlows()
    /// Sources that are received and not taken yet, by the batch that waits for them.
    var previews: [Int: [RouteState]] = [:]
    var nextPreview = 0
    /// Interfaces that stay attached whether routes use them or not.
    var configuredPorts: Set<String> = []
    private let thread: ControllerThread
    let hostPortSettings: HostPortSettings
    let packetEngine: PacketEngine
    /// The problem of the AF_XDP engine, as seen last; nil where there is none.
    var engineProblem: String?
    var keys: KeyStore
    /// The keys that legs of sessions encrypt with, by name.
    var sharedSending: [String: Protection] = [:]
    /// The interface that the host port's guards stand for.
    var guardedHostPort: UInt32?
    /// Routes with legs that were opened at a gate not long ago.
    var gatedRoutes: Set<String> = []
    /// The receivers of first packets and unknown sources of sessions' routes.
    var sessionEvents: [Int: AsyncStream<SessionRouteEvent>.Continuation] = [:]
    var nextSessionEvents = 0
    /// The number of calls of `tick`.
    var seconds = 0
    /// The calls that wait for a route's legs to be in the fast path.
    private var legWaiters: [String: [CheckedContinuation<RoutingError?, Never>]] = [:]
    private var graceWaiters: [CheckedContinuation<Void, Never>] = []
    private var graceIsRunning = false

    /// A place that a guard protects.
    enum GuardedPlace: Hashable {
        case group(IPAddress, interfaceIndex: UInt32, vlans: [UInt16])
        case address(IPAddress, udpPort: UInt16)
    }

    /// Takes over what an earlier process left: the fast path, the journal and the stored sockets.
    ///
    /// Routes of the journal continue as they were: their flows are found in the fast path, where not a packet was lost.
    ///
    /// - Parameters:
    ///   - hostPort: how the host port is called and addressed, once somebody needs it.
    ///   - engine: how AF_XDP workers work, once a route needs them.
    ///   - keys: where the keys of routes are.
    ///   - events: the receiver of changes and edges.
    public init(
        fastPath: FastPath, network: any HostNetwork, store: any DescriptorStore, journal: RouteJournal, logger: Logger,
        keys: KeyPaths = KeyPaths(), hostPort: HostPortSettings = HostPortSettings(),
        engine: EngineSettings = EngineSettings(), events: EventLog = EventLog()
    ) throws {
        self.events = events
        self.fastPath = fastPath
        self.network = network
        self.journal = try journal.open()
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
        try report(of: route.name, in: await commit([.add(route, owner: owner)]))
    }

    public func apply(_ changes: [RouteChange]) async throws(RoutingError) -> [RouteReport] {
        // A route that the same batch adds again is not withdrawn.
        let last = Dictionary(changes.map { ($0.route, $0) }) { _, last in last }
        let withdrawals = last.values.filter(\.isRemoval).compactMap { table[$0.route]?.intent.configured }
        var records: [JournalChange] = []
        for route in withdrawals { records.append(try RouteLog.withdrawal(of: route)) }
        let reports = try await commit(changes, with: records)
        for route in withdrawals { withdrawn[route.name] = route }
        var named: Set<String> = []
        return changes.compactMap { named.insert($0.route).inserted ? reports[$0.route] : nil }
    }

    public func problems(with changes: [RouteChange]) async throws(RoutingError) { _ = try plan(changes) }

    public func remove(route name: String) async throws(RoutingError) {
        if try discardSetAside(name) { return }
        _ = try await apply([.remove(name)])
    }

    public func take(route name: String, source: SourceSpecification) async throws(RoutingError) -> RouteReport {
        try await change(name) { $0.source = source }
    }

    /// Moves a route to another engine. Each packet is sent by the one or by the other; those that a worker already has may leave
    /// after later ones of the kernel engine.
    public func setEngine(
        _ engine: RouteSpecification.Engine, of name: String
    ) async throws(RoutingError) -> RouteReport {
        try await change(name) { $0.engine = engine }
    }

    /// Changes a route's specification; where that changes nothing, nothing happens.
    private func change(
        _ name: String, _ body: (inout RouteSpecification) -> Void
    ) async throws(RoutingError) -> RouteReport {
        guard let state = table[name] else { throw noRoute(name) }
        var specification = state.specification
        body(&specification)
        if specification == state.specification { return report(state) }
        return try report(of: name, in: await commit([.replace(specification)]))
    }

    /// A route's report from a commit that has it.
    private func report(of name: String, in reports: [String: RouteReport]) throws(RoutingError) -> RouteReport {
        guard let report = reports[name] else { throw noRoute(name) }
        return report
    }

    public func addLeg(
        _ leg: LegSpecification, to name: String, force: Bool
    ) async throws(RoutingError) -> LegReport {
        try await addLeg(leg, to: name, force: force, isShut: false)
    }

    /// Adds one leg to a route. All that are added in one moment share one new set of legs (`applyLegs`).
    func addLeg(
        _ leg: LegSpecification, to name: String, force: Bool, isShut: Bool
    ) async throws(RoutingError) -> LegReport {
        guard var state = table[name] else { throw noRoute(name) }
        var leg = leg
        if force { leg.isForced = true }
        if leg.port.isHost { try makeHostPort() }
        try planner.check(adding: leg, to: state)
        var new = try makeLeg(leg, number: state.nextLegNumber, of: state)
        new.isShut = isShut
        resolve(&new, of: name)
        stamp(&state.intent)
        state.nextLegNumber += 1
        state.specification.legs.append(leg)
        state.legs.append(new)
        do throws(RoutingError) {
            try chooseEngine(for: &state)
            try journal.append([try RouteLog.change(new, of: state)])
        } catch {
            release(neighbour: new.neighbour, of: name)
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
        report(.routeChanged, of: state, "leg \(new.number) to \(leg) added")
        let after = table[name] ?? state
        return report(after.legs.first { $0.counter == new.counter } ?? new, of: after, engine: engineReport(after))
    }

    /// Forgets a leg that could not be put into the fast path, unless it went with its route.
    private func discard(_ leg: LegState, of name: String) {
        guard var state = table[name], let index = state.leg(leg.number), state.legs[index].counter == leg.counter
        else {
            return
        }
        release(neighbour: state.legs[index].neighbour, of: name)
        fastPath.removeLegCounter(leg.counter)
        state.legs.remove(at: index)
        state.specification.legs.remove(at: index)
        try? journal.append([JournalChange(LegRecord.key(leg.number, of: name), nil)])
        table[name] = state
    }

    /// Removes one leg of a route. All that are removed in one moment share one new set of legs.
    public func removeLeg(_ number: UInt32, from name: String) async throws(RoutingError) {
        guard var state = table[name] else { throw noRoute(name) }
        guard let index = state.leg(number) else { throw noLeg(number, state) }
        let leg = state.legs.remove(at: index)
        state.specification.legs.remove(at: index)
        stamp(&state.intent)
        try journal.append([
            try RouteLog.change(state), JournalChange(LegRecord.key(number, of: name), nil),
        ])
        table[name] = state
        // A removal that fails is repeated with the next change of the legs: the leg is gone for everybody else.
        do {
            try await applyLegs(of: name)
        } catch {
            logger.error("route \(name): leg \(number) could not be taken out yet: \(error)")
        }
        report(.routeChanged, of: state, "leg \(number) to \(leg.specification) removed")
        release(neighbour: leg.neighbour, of: name)
        await gracePeriod()
        fastPath.removeLegCounter(leg.counter)
        journal.forgetRemoved()
        refreshEngine()
        detachUnusedPorts()
    }

    public func setLeg(
        _ number: UInt32, of name: String, to leg: LegSpecification
    ) async throws(RoutingError) -> LegReport {
        let reports = try await commit([.setLeg(number, of: name, to: leg)])
        guard let report = reports[name]?.legs.first(where: { $0.number == number }) else { throw noRoute(name) }
        return report
    }

    public func route(_ name: String) async throws(RoutingError) -> RouteReport {
        if let state = table[name] { return report(state) }
        guard let report = setAsideReport(name) else { throw noRoute(name) }
        return report
    }

    public func routes() async -> [RouteReport] {
        (table.values.map { report($0) } + setAsideReports()).sorted { $0.specification.name < $1.specification.name }
    }

    public func routesOfSessions() async -> Set<String> {
        Set(table.values.lazy.filter { $0.owner == .session }.map(\.specification.name))
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

    func noRoute(_ name: String) -> RoutingError { setAsideProblem(name) ?? PlanDraft.noRoute(name) }

    func noLeg(_ number: UInt32, _ state: RouteState) -> RoutingError {
        PlanDraft.noLeg(number, of: state.specification.name, having: state.legs.map(\.number))
    }
}
