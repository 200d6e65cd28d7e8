// Following the node: links, neighbours, routes, and what the flows themselves show.

import AFXDP
import CrosspointShim
import Events
import FastPath
import Glibc
import Logging
import Netlink
import RTPWire
import Timing

extension FlowController {
    /// Takes over the state that an earlier process left. Routes of the journal continue as they were; one that cannot
    /// be carried now waits for the network to change, and its flow continues. A flow whose route the journal does not
    /// have, or not in a form that is understood, continues in quarantine. Flows that were on their way out are
    /// removed.
    public func adopt() async {
        let contents = journal.read()
        for problem in contents.problems { logger.warning("\(problem)") }
        withdrawn = contents.withdrawn
        let unreadable = Set(contents.unreadable.keys)
        for route in contents.routes {
            let name = route.intent.specification.name
            do throws(RoutingError) {
                try adopt(route, unreadable: unreadable)
            } catch {
                // A session whose route is gone is ended by its agent, which knows what its peers are to learn.
                if route.intent.owner == .session {
                    logger.error("route \(name): cannot be taken over: \(error)")
                    try? journal.append(journal.removal(of: name))
                    continue
                }
                logger.error("route \(name): waits: \(error)")
                events.record(.error, .routeRefused, name, "route \(name): waits: \(error)")
                setAside.refused[name] = .init(intent: route.intent, journalled: route, reason: error)
            }
        }
        sortFoundFlows(unreadable: contents.unreadable)
        var counters = Set(table.values.flatMap { $0.legs.map(\.counter) })
        for route in setAside.quarantined.values { counters.formUnion(route.flows.flatMap { $0.legs.map(\.counter) }) }
        for route in setAside.refused.values { counters.formUnion(route.journalled?.legs.map(\.counter) ?? []) }
        fastPath.removeLegCounters(except: counters)
        dropWhatNobodyOwns()
        await gracePeriod()
        journal.forgetRemoved()
        if !contents.routes.isEmpty {
            logger.info(
                "took over \(contents.routes.count - setAside.refused.count) of \(contents.routes.count) routes")
        }
    }

    /// Keeps or removes the flows that no route of the table has.
    private func sortFoundFlows(unreadable: [String: String]) {
        let known = Set(table.values.compactMap(\.flow))
        let unknown = Dictionary(grouping: fastPath.foundFlows().filter { !known.contains($0.handle) }, by: \.route)
        for (name, flows) in unknown.sorted(by: { $0.key < $1.key }) where setAside.refused[name] == nil {
            // A destination without a flow of its own, or a second flow of a route: left by a change that was not finished.
            let isLeft = name.isEmpty || table[name] != nil || journal.wasRemoved(name)
            if let reason = unreadable[name] {
                quarantine(flows, route: name, reason: reason)
            } else if !isLeft, flows.contains(where: \.isForwarding) {
                quarantine(flows, route: name, reason: "the journal has no record of it")
            } else {
                flows.forEach { fastPath.removeFlow($0.handle) }
            }
        }
        for (name, reason) in unreadable where setAside.quarantined[name] == nil {
            quarantine([], route: name, reason: reason)
        }
    }

    /// Follows network and fast path until the task is cancelled. To be called once, before routes are added.
    public func run() async throws {
        let changes = try network.events()
        let reports = try fastPath.events()
        try view.refresh(network)
        resolveAll()
        // The packets that workers have are sent before the process ends; the kernel engine continues.
        defer {
            packetEngine.stop()
            finishKeys()
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await change in changes { await self.handle(change) } }
            group.addTask { for await report in reports { await self.handle(report) } }
            group.addTask {
                while !Task.isCancelled {
                    try? await Task.sleep(for: .seconds(1))
                    await self.tick()
                }
            }
            await group.next()
            group.cancelAll()
        }
    }

    // MARK: Network

    func handle(_ event: NetworkEvent) {
        switch event {
        case .linkChanged(let interface): linkChanged(interface)
        case .linkRemoved(let index): linkRemoved(index)
        case .addressChanged:
            refresh { (view, network) throws(NetlinkError) in try view.refreshAddresses(network) }
            judgeHardwareAddresses()
            networkChanges.newPlaces()
            lookSoon()
        case .neighbourChanged(let neighbour):
            let key = NetworkView.NeighbourKey(address: neighbour.address, interfaceIndex: neighbour.interfaceIndex)
            guard neighbourUses[key] != nil else { return }
            let before = view.neighbours[key]
            view.set(neighbour)
            if before?.mac != neighbour.mac || before?.isUsable != neighbour.isUsable { resolve(usersOf: key) }
        case .neighbourRemoved(let address, let index):
            let key = NetworkView.NeighbourKey(address: address, interfaceIndex: index)
            guard neighbourUses[key] != nil else { return }
            // The kernel deletes managed entries when their own link goes down. The last address stays in use: a link
            // that flaps must not cost more than the flap. When the link is up again, linkChanged asks again.
            if view.interfaces[index]?.isRunning == true {
                askFor(key)
                resolve(usersOf: key)
            }
        case .routeChanged(let prefix):
            networkChanges.insert(prefix)
            lookSoon()
        case .overrun:
            refresh { (view, network) throws(NetlinkError) in try view.refresh(network) }
            for key in neighbourUses.keys { askFor(key) }
            judgeHardwareAddresses()
            networkChanges.newPlaces()
            lookSoon()
        }
    }

    // MARK: Looking at legs again

    /// A burst of events is one look, which begins a moment after the first.
    private static let lookDelay = Duration.milliseconds(20)
    /// As many legs are looked at in one turn of the actor: requests come in between.
    private static let legsInATurn = 256

    private func lookSoon() {
        guard !isLooking else { return }
        isLooking = true
        Task {
            while !self.networkChanges.isEmpty {
                try? await Task.sleep(for: Self.lookDelay)
                await self.lookAtChanges()
            }
            self.isLooking = false
        }
    }

    /// Resolves the legs that collected changes touch, a part of them in each turn.
    private func lookAtChanges() async {
        let changes = networkChanges
        networkChanges = NetworkChanges()
        if changes.hasNewPlaces { tryAgain() }
        let hops = NextHopMemory()
        var done = 0
        for name in table.names {
            let count = table[name]?.legs.count ?? 0
            guard count > 0 else { continue }
            resolve(name, by: hops, where: changes.concerns)
            done += count
            guard done >= Self.legsInATurn else { continue }
            done = 0
            await Task.yield()
        }
    }

    /// Sources and routes that waited for an interface or an address.
    private func tryAgain() {
        for state in Array(table.values) where state.flow == nil || state.membershipProblem != nil {
            guard let interface = view.interface(named: state.specification.source.port.interface) else { continue }
            reestablishSource(of: state, on: interface)
        }
        retryRefused()
    }

    private func refresh(_ body: (inout NetworkView, any HostNetwork) throws(NetlinkError) -> Void) {
        do {
            try body(&view, network)
        } catch {
            logger.error("the node's network cannot be read: \(error)")
        }
    }

    private func linkChanged(_ told: NetworkInterface) {
        var interface = told
        if [hostPortSettings.hostEnd, hostPortSettings.fastPathEnd].contains(told.name) {
            // An event that came while the pair was being made is older than the state that was read when it was.
            interface = (try? network.interfaces().first { $0.index == told.index }) ?? told
        }
        let before = view.interfaces[interface.index]
        view.set(interface)
        if before?.isRunning != interface.isRunning || before?.isUp != interface.isUp {
            let isUp = interface.isRunning && interface.isUp
            logger.info("port \(interface.name): \(isUp ? "up" : "down")")
            report(isUp ? .portUp : .portDown, ofPort: view.portName(of: interface))
        }
        let isRelevant =
            before?.index != interface.index || before?.mac != interface.mac || before?.name != interface.name
            || before?.isRunning != interface.isRunning || before?.isUp != interface.isUp
        if before?.mtu != interface.mtu || before?.receiveQueues != interface.receiveQueues { refreshEngine() }
        guard isRelevant else { return }
        defer {
            refreshEngine()
            judgeHardwareAddresses()
        }
        if interface.isRunning {
            for key in neighbourUses.keys where key.interfaceIndex == interface.index { askFor(key) }
        }
        refresh { (view, network) throws(NetlinkError) in try view.refreshAddresses(network) }
        let name = view.portName(of: interface)
        if before?.index != interface.index || before?.isUp != interface.isUp { networkChanges.newPlaces() }
        defer { if !networkChanges.isEmpty { lookSoon() } }
        let isUsed = configuredPorts.contains(name) || table.uses(interface: name)
        guard isUsed else { return networkChanges.everything() }
        let known = fastPath.port(named: name)
        if known?.interfaceIndex != interface.index || known?.mac != interface.mac {
            do throws(RoutingError) {
                try attachPort(name, of: "port \(name)")
            } catch {
                logger.error("\(error)")
            }
            reestablishSources(on: interface, named: name)
        }
        resolveAll()
    }

    /// An interface that was made again has another index: its flows, memberships and reservations are made again too.
    func reestablishSources(on interface: NetworkInterface, named name: String) {
        for state in Array(table.values) where state.specification.source.port.interface == name {
            if state.key?.interfaceIndex != interface.index { reestablishSource(of: state, on: interface) }
        }
    }

    private func reestablishSource(of route: RouteState, on interface: NetworkInterface) {
        var state = route
        if state.key != nil { releaseSource(of: state, drains: false) }
        (state.flow, state.key, state.socket) = (nil, nil, nil)
        do throws(RoutingError) {
            if let problem = RouteChecks.source(state.specification.source, view: view) { throw problem }
            try establishSource(&state)
            state.membershipProblem = nil
            if let flow = state.flow {
                for leg in state.legs { describe(leg, flow: flow) }
                try setLegs(state.readyLegs, of: flow)
            }
            judgeHardwareAddress(of: state)
            logger.info("route \(state.specification.name): its source is received")
        } catch {
            if state.membershipProblem != "\(error)" { logger.error("route \(state.specification.name): \(error)") }
            state.membershipProblem = "\(error)"
        }
        table[state.specification.name] = state
    }

    private func linkRemoved(_ index: UInt32) {
        if let interface = view.interfaces[index] {
            logger.warning("port \(interface.name): the interface is gone")
            report(.portGone, ofPort: view.portName(of: interface))
        }
        view.remove(interface: index)
        defer { remakeHostPort() }
        for port in fastPath.ports where port.interfaceIndex == index { fastPath.interfaceGone(port) }
        refreshEngine()
        resolveAll()
    }

    /// Resolves every leg, and puts what changed into the fast path.
    func resolveAll() {
        let hops = NextHopMemory()
        for name in table.names { resolve(name, by: hops) { _ in true } }
    }

    private func resolve(usersOf key: NetworkView.NeighbourKey) {
        for name in (neighbourUses[key] ?? [:]).keys.sorted() { resolve(name) { $0.neighbour == key } }
    }

    /// Resolves the legs of a route that are concerned.
    private func resolve(_ name: String, by hops: NextHopMemory? = nil, where isConcerned: (LegState) -> Bool) {
        guard table.contains(legOf: name, where: isConcerned), var state = table[name] else { return }
        let before = state.readyLegs
        for index in state.legs.indices where isConcerned(state.legs[index]) {
            let old = state.legs[index]
            resolve(&state.legs[index], of: name, by: hops)
            release(neighbour: old.neighbour, of: name)
            if old.resolution != state.legs[index].resolution { note(state.legs[index], of: state) }
        }
        if state.readyLegs != before, let flow = state.flow {
            do throws(RoutingError) {
                try setLegs(state.readyLegs, of: flow)
            } catch {
                logger.error("route \(name): \(error)")
            }
        }
        table[name] = state
    }

    private func note(_ leg: LegState, of state: RouteState) {
        let name = "route \(state.specification.name) leg \(leg.number) (\(leg.specification))"
        switch leg.resolution {
        case .ready(_, let nextHop):
            logger.info("\(name): sends to \(nextHop)")
            report(.legActive, of: state, "leg \(leg.number) (\(leg.specification)) sends to \(nextHop)")
        case .waiting(let kind, let reason, _):
            logger.warning("\(name): waits: \(reason)")
            // A port that goes down is one event, which names its routes.
            guard kind != .linkDown else { return }
            report(.legWaiting, of: state, "leg \(leg.number) (\(leg.specification)) waits: \(reason)")
        }
    }

    // MARK: Fast path

    func handle(_ event: FastPathEvent) {
        guard let state = table.route(of: event.flow) else { return }
        let from = "\(event.source.bracketed):\(event.sourceUDPPort)"
        switch event.kind {
        case .firstPacket:
            // Each CPU that the flow comes in on reports its own first packet.
            guard state.parameters.reportsFirstPacket else { return }
            table[state.specification.name]?.firstArrival = event.time
            logger.info("route \(state.specification.name): first packet, from \(from)")
            report(.firstPacket, of: state, "first packet, from \(from)")
            table[state.specification.name]?.parameters.reportsFirstPacket = false
            var parameters = state.parameters
            parameters.reportsFirstPacket = false
            fastPath.setParameters(parameters, of: event.flow)
            tellSessions(.firstPacket, event, state)
        case .unknownSource:
            logger.warning(
                "route \(state.specification.name): \(from) sends to \(state.specification.source), drop_wrong_source")
            report(
                .unknownSource, of: state,
                "\(from) sends to \(state.specification.source) too, and is not the sender of the route: dropped")
            tellSessions(.unknownSource, event, state)
        }
    }

    /// Once a second: rates, clocks, what drains.
    func tick() {
        let now = Self.monotonic()
        table.observeAll { state in
            guard let flow = state.flow, let activity = fastPath.activity(of: flow) else { return }
            state.observation.take(
                .init(
                    packets: activity.packets, bytes: fastPath.bytes(of: flow), arrival: activity.last,
                    timestamp: activity.timestamp), at: now)
            var parameters = state.parameters
            if parameters.clockRate == nil, parameters.payload == .rtp, parameters.accounts {
                parameters.clockRate =
                    FlowObservation.clockRate(ofPayloadType: fastPath.payloadType(of: flow))
                    ?? state.observation.clockRate
                if let rate = parameters.clockRate {
                    logger.info("route \(state.specification.name): RTP clock of \(rate) Hz")
                }
            }
            // The limits follow the rate in coarse steps: they are not worth a change for every wobble.
            let rate = state.observation.packetRate
            if rate > parameters.packetRate * 3 / 2 || (rate > 0 && rate < parameters.packetRate / 4) {
                parameters.packetRate = max(rate, 50)
            }
            // If only packets and bytes are counted, the clock gives ages alone: at high rates every 64th will do.
            if !parameters.accounts || parameters.payload != .rtp { parameters.clockMask = rate > 1000 ? 63 : 0 }
            guard parameters != state.parameters else { return }
            fastPath.setParameters(parameters, of: flow)
            state.parameters = parameters
        }
        reviewEngines()
        renewStore()
        clearGates(now: now)
        events.tick()
        finishDraining()
        // Memory that a request for thousands of routes took goes back to the system; the allocator would keep it.
        seconds += 1
        if seconds % 10 == 0 { crosspoint_release_free_memory() }
    }

    /// Sockets that only this process has would end with it, and their groups would be left.
    private func renewStore() {
        do throws(RoutingError) {
            if try sockets.renew() {
                logger.warning("whoever keeps the sockets of groups and UDP ports had ended; another one has them now")
            }
            storeProblem = nil
        } catch {
            if storeProblem != error {
                logger.error("sockets of groups and UDP ports are kept by this process alone: \(error)")
            }
            storeProblem = error
        }
    }

    /// A removed flow's destination is the host's again when nothing came there for ten seconds, or its place is needed.
    private func finishDraining() {
        guard draining.count > 0 else { return }
        let done = draining.tick(room: fastPath.flowCapacity / 4) { fastPath.drainedPackets(at: $0) }
        guard !done.isEmpty else { return }
        for flow in done {
            fastPath.finishDraining(flow.key)
            if let place = flow.guarded { removeGuard(place) }
        }
        fastPath.waitForGracePeriod()
        detachUnusedPorts()
    }

    static func monotonic() -> UInt64 { SystemClock.monotonicNanoseconds }
}
