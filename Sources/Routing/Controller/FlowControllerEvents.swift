// Following the node: links, neighbours, routes, and what the flows themselves show.

import AFXDP
import CrosspointShim
import FastPath
import Glibc
import Logging
import Netlink
import RTPWire

extension FlowController {
    /// Takes over the routes of the journal; whatever else an earlier process left in the fast path is removed.
    public func adopt() async {
        let (entries, problems) = journal.read()
        for problem in problems { logger.warning("\(problem)") }
        var failed: [JournalEntry] = []
        for entry in entries {
            do throws(RoutingError) {
                try install(entry.route, owner: entry.owner, journalled: entry)
            } catch {
                failed.append(entry)
                logger.error("route \(entry.route.name): cannot be taken over: \(error)")
            }
        }
        let known = Set(table.values.compactMap(\.flow))
        for found in fastPath.foundFlows() where !known.contains(found.handle) {
            if !found.route.isEmpty { logger.warning("flow of route \(found.route): nobody owns it, removed") }
            fastPath.removeFlow(found.handle)
        }
        fastPath.removeUnusedGuards()
        let counters = Set(table.values.flatMap { $0.legs.map(\.counter) })
        fastPath.removeLegCounters(except: counters)
        let dropped = sockets.dropUnclaimed()
        if !dropped.isEmpty { logger.info("sockets nobody needs were closed: \(dropped.joined(separator: ", "))") }
        await gracePeriod()
        if !entries.isEmpty { logger.info("took over \(entries.count - failed.count) of \(entries.count) routes") }
    }

    /// Follows network and fast path until the task is cancelled. To be called once, before routes are added.
    public func run() async throws {
        let changes = try network.events()
        let reports = try fastPath.events()
        try view.refresh(network)
        resolveAll()
        // What workers have is sent before the process ends; the kernel engine goes on.
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
            resolveAll()
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
            // that flaps must not cost more than the flap. When the link is up again, linkChanged asks anew.
            if view.interfaces[index]?.isRunning == true {
                askFor(key)
                resolve(usersOf: key)
            }
        case .routeChanged: resolveAll()
        case .overrun:
            refresh { (view, network) throws(NetlinkError) in try view.refresh(network) }
            for key in neighbourUses.keys { askFor(key) }
            resolveAll()
        }
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
            // What was told while the pair was being made is older than what was read when it was.
            interface = (try? network.interfaces().first { $0.index == told.index }) ?? told
        }
        let before = view.interfaces[interface.index]
        view.set(interface)
        if before?.isRunning != interface.isRunning || before?.isUp != interface.isUp {
            logger.info("port \(interface.name): \(interface.isRunning && interface.isUp ? "up" : "down")")
        }
        let isRelevant =
            before?.index != interface.index || before?.mac != interface.mac || before?.name != interface.name
            || before?.isRunning != interface.isRunning || before?.isUp != interface.isUp
        if before?.mtu != interface.mtu || before?.receiveQueues != interface.receiveQueues { refreshEngine() }
        guard isRelevant else { return }
        defer { refreshEngine() }
        if interface.isRunning {
            for key in neighbourUses.keys where key.interfaceIndex == interface.index { askFor(key) }
        }
        refresh { (view, network) throws(NetlinkError) in try view.refreshAddresses(network) }
        let name = view.portName(of: interface)
        let isUsed = configuredPorts.contains(name) || table.uses(interface: name)
        guard isUsed else { return resolveAll() }
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

    /// An interface that was made anew has another index: its flows, memberships and reservations are made anew too.
    func reestablishSources(on interface: NetworkInterface, named name: String) {
        for var state in Array(table.values) where state.specification.source.port.interface == name {
            guard state.key?.interfaceIndex != interface.index else { continue }
            releaseSource(of: state, drains: false)
            state.flow = nil
            state.key = nil
            state.socket = nil
            do throws(RoutingError) {
                try establishSource(&state)
                state.membershipProblem = nil
                if let flow = state.flow {
                    for leg in state.legs { describe(leg, flow: flow) }
                    try setLegs(state.readyLegs, of: flow)
                }
            } catch {
                state.membershipProblem = "\(error)"
                logger.error("route \(state.specification.name): \(error)")
            }
            table[state.specification.name] = state
        }
    }

    private func linkRemoved(_ index: UInt32) {
        if let interface = view.interfaces[index] { logger.warning("port \(interface.name): the interface is gone") }
        view.remove(interface: index)
        defer { remakeHostPort() }
        for port in fastPath.ports where port.interfaceIndex == index { fastPath.interfaceGone(port) }
        refreshEngine()
        resolveAll()
    }

    /// Resolves every leg anew and puts what changed into the fast path.
    func resolveAll() { resolve { _ in true } }

    private func resolve(usersOf key: NetworkView.NeighbourKey) { resolve { $0.neighbour == key } }

    private func resolve(where isConcerned: (LegState) -> Bool) {
        for var state in Array(table.values) where state.legs.contains(where: isConcerned) {
            let before = state.readyLegs
            for index in state.legs.indices where isConcerned(state.legs[index]) {
                let old = state.legs[index]
                resolve(&state.legs[index])
                release(neighbour: old.neighbour)
                if old.resolution != state.legs[index].resolution { note(state.legs[index], of: state) }
            }
            if state.readyLegs != before, let flow = state.flow {
                do throws(RoutingError) {
                    try setLegs(state.readyLegs, of: flow)
                } catch {
                    logger.error("route \(state.specification.name): \(error)")
                }
            }
            table[state.specification.name] = state
        }
    }

    private func note(_ leg: LegState, of state: RouteState) {
        let name = "route \(state.specification.name) leg \(leg.number) (\(leg.specification))"
        switch leg.resolution {
        case .ready(_, let nextHop): logger.info("\(name): sends to \(nextHop)")
        case .waiting(_, let reason, _): logger.warning("\(name): waits: \(reason)")
        }
    }

    // MARK: Fast path

    func handle(_ event: FastPathEvent) {
        guard let state = table.route(of: event.flow) else { return }
        let from = "\(event.source.bracketed):\(event.sourceUDPPort)"
        switch event.kind {
        case .firstPacket:
            // Each CPU that the flow comes in on tells of its own first packet.
            guard state.parameters.reportsFirstPacket else { return }
            table[state.specification.name]?.firstArrival = event.time
            logger.info("route \(state.specification.name): first packet, from \(from)")
            table[state.specification.name]?.parameters.reportsFirstPacket = false
            var parameters = state.parameters
            parameters.reportsFirstPacket = false
            fastPath.setParameters(parameters, of: event.flow)
            tellSessions(.firstPacket, event, state)
        case .unknownSource:
            logger.warning(
                "route \(state.specification.name): \(from) sends to \(state.specification.source), drop_wrong_source")
            tellSessions(.unknownSource, event, state)
        }
    }

    /// Once a second: rates, clocks, what drains.
    func tick() {
        let now = Self.monotonic()
        for var state in Array(table.values) {
            guard let flow = state.flow, let activity = fastPath.activity(of: flow) else { continue }
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
            // Where only packets and bytes are counted, the clock tells ages alone: at high rates every 64th will do.
            if !parameters.accounts || parameters.payload != .rtp { parameters.clockMask = rate > 1000 ? 63 : 0 }
            if parameters != state.parameters { fastPath.setParameters(parameters, of: flow) }
            state.parameters = parameters
            table[state.specification.name] = state
        }
        reviewEngines()
        clearGates(now: now)
        finishDraining()
        // What a request for thousands of routes took goes back to the system; the allocator would keep it.
        seconds += 1
        if seconds % 10 == 0 { crosspoint_release_free_memory() }
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

    static func monotonic() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
