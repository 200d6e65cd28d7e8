// Requests of sessions beyond those of operators: shut legs, progress, reservations, attachments.

import FastPath
import Glibc
import Logging
import Netlink
public import RTPWire
import Timing

extension FlowController {
    /// The time for which a gate may keep a leg shut: a source that begins again with other sequence numbers must not keep it so.
    private static let gateNanoseconds: UInt64 = 1_000_000_000

    public func reserve(_ places: [UDPPlace]) async throws(RoutingError) {
        var keys: [SocketKey] = []
        for place in places {
            try check(place)
            guard let key = view.socketKey(of: SourceSpecification(place)) else {
                throw RoutingError(.unavailable, "\(place.address): its interface is gone")
            }
            keys.append(key)
        }
        try sockets.hold(keys) { (key) throws(RoutingError) in
            guard case .reserve(let address, let udpPort, let interface) = key else {
                preconditionFailure("the key of an address that is no group is one of a reservation")
            }
            let device = interface.flatMap { view.interface(named: $0) }
            return try UDPPortReservation.reserve(
                address: address, udpPort: udpPort, interface: device.map { ($0.name, $0.index) })
        }
    }

    public func release(_ places: [UDPPlace]) async {
        do {
            try sockets.release(places.compactMap { view.socketKey(of: SourceSpecification($0)) })
        } catch {
            logger.warning("reserved UDP ports: their stored copies could not be closed: \(error)")
        }
    }

    private func check(_ place: UDPPlace) throws(RoutingError) {
        let source = SourceSpecification(place)
        if let problem = RouteChecks.source(source, view: view) { throw problem }
        guard source.isHeld, !source.address.isMulticast else {
            throw RoutingError(
                .invalid, "source \(source): only UDP ports of this node's own addresses on a network are reserved")
        }
    }

    public func add(sessionRoutes routes: [RouteSpecification]) async throws(RoutingError) -> [RouteReport] {
        let reports = try await commit(routes.map { .add($0, owner: .session) })
        return routes.compactMap { reports[$0.name] }
    }

    public func remove(sessionRoutes names: [String]) async -> [String: FlowProgress] {
        let states = names.compactMap { table[$0] }
        let last = states.compactMap { state in progress(of: state).map { (state.specification.name, $0) } }
        await remove(states)
        return Dictionary(last) { first, _ in first }
    }

    /// Removes routes that are there, whatever happens to the journal: a session that has ended sends nothing.
    private func remove(_ states: [RouteState]) async {
        guard !states.isEmpty else { return }
        do {
            try await commit(states.map { .remove($0.specification.name) })
        } catch {
            logger.error("routes of sessions: \(error); they end all the same")
            await finish(removeUnjournalled(states.map(\.specification.name)))
        }
    }

    public func addShutLeg(_ leg: LegSpecification, to name: String) async throws(RoutingError) -> LegReport {
        try await addLeg(leg, to: name, force: false, isShut: true)
    }

    public func openLeg(_ number: UInt32, of name: String, from sequence: UInt32?) async throws(RoutingError) {
        let (state, index) = try leg(number, of: name)
        guard state.legs[index].isShut else { return }
        open(index, of: state, from: sequence)
    }

    public func openLeg<Start: LegStart>(
        _ number: UInt32, of name: String, at choose: @Sendable (FlowProgress?) -> Start?
    ) async throws(RoutingError) -> Start? {
        let (state, index) = try leg(number, of: name)
        let progress = progress(of: state)
        if !state.legs[index].isShut {
            guard let gate = state.legs[index].gate, let progress,
                Int32(bitPattern: UInt32(truncatingIfNeeded: progress.extendedHighestSequence) &- gate.sequence) < 0
            else { return nil }
        }
        guard let start = choose(progress) else { return nil }
        open(index, of: state, from: start.extendedSequence)
        return start
    }

    private func leg(_ number: UInt32, of name: String) throws(RoutingError) -> (state: RouteState, index: Int) {
        guard let state = table[name] else { throw noRoute(name) }
        guard let index = state.leg(number) else { throw noLeg(number, state) }
        return (state, index)
    }

    /// The journal is not written: a daemon that takes the leg over sees in the fast path that it is open.
    private func open(_ index: Int, of state: RouteState, from sequence: UInt32?) {
        let gate = sequence.map {
            LegParameters.Gate(sequence: $0, deadline: Self.monotonic() + Self.gateNanoseconds)
        }
        if let flow = state.flow { fastPath.openLeg(state.legs[index].counter, gate: gate, of: flow) }
        if gate != nil { gatedRoutes.insert(state.specification.name) }
        table.changeLeg(at: index, of: state.specification.name) { leg in
            leg.isShut = false
            leg.gate = gate
        }
    }

    /// Takes the gates from legs that have begun: sequence numbers go round, and a gate would hold back half of them.
    func clearGates(now: UInt64) {
        for name in gatedRoutes {
            guard var state = table[name] else {
                gatedRoutes.remove(name)
                continue
            }
            for index in state.legs.indices {
                guard let gate = state.legs[index].gate, gate.deadline < now else { continue }
                state.legs[index].gate = nil
                if let flow = state.flow { fastPath.openLeg(state.legs[index].counter, gate: nil, of: flow) }
            }
            if !state.legs.contains(where: { $0.gate != nil }) { gatedRoutes.remove(name) }
            table[name] = state
        }
    }

    public func progress(of name: String) async -> FlowProgress? { table[name].flatMap(progress) }

    private func progress(of state: RouteState) -> FlowProgress? {
        guard let flow = state.flow else { return nil }
        let records = fastPath.progress(of: flow)
        return FlowProgress(
            packets: records.packets, bytes: records.bytes, rtcpPackets: records.rtcpPackets, hasRTP: records.hasRTP,
            extendedHighestSequence: records.extendedHighestSequence, timestamp: records.timestamp, ssrc: records.ssrc,
            payloadType: records.payloadType, lastArrival: records.lastArrival,
            packetRate: packetRate(of: state, records), clockRate: records.clockRate, expected: records.expected,
            received: records.received, jitter: records.jitter)
    }

    public func progress(of names: [String]) async -> [String: FlowProgress] {
        var found: [String: FlowProgress] = [:]
        for name in names { found[name] = table[name].flatMap(progress) }
        return found
    }

    public func misfit(of leg: LegSpecification, on name: String) async -> String? {
        guard let state = table[name] else { return nil }
        var candidate = LegState(
            number: 0, specification: leg, counter: 0,
            resolution: .waiting(.unresolved, reason: "not resolved yet", nextHop: nil), neighbour: nil,
            flowFamily: state.specification.source.address.family)
        candidate.pathMTU = lookUp(candidate).pathMTU
        return misfit(of: candidate, frameLength: state.frameLength)
    }

    /// From this rate on, packets may come in bursts of a frame; and frames come at least so often, mostly.
    private static let burstRate: UInt64 = 500
    private static let framePeriod: UInt64 = 40_000_000

    /// The rate of the last second or, in a flow's first one, that since its first packet; 0 where that may be the rate within the
    /// burst of its first frame, thousands of times its own.
    private func packetRate(of state: RouteState, _ records: FlowRecords) -> UInt64 {
        if state.observation.packetRate > 0 { return state.observation.packetRate }
        guard let first = state.firstArrival, records.lastArrival > first, records.received > 1 else { return 0 }
        let elapsed = records.lastArrival.subtractingSaturating(first)
        let rate = (records.received - 1) * 1_000_000_000 / elapsed
        return rate > Self.burstRate && elapsed < Self.framePeriod ? 0 : rate
    }

    public func reservation(of name: String) async throws(RoutingError) -> Int32 {
        guard let state = table[name] else { throw noRoute(name) }
        guard let key = state.socket, case .reserve = key, let copy = sockets.duplicate(key) else {
            throw RoutingError(.invalid, "route \(name): its source \(state.specification.source) reserves no UDP port")
        }
        guard copy >= 0 else {
            throw RoutingError(.capacity, "route \(name): too many open files; raise LimitNOFILE of the service")
        }
        return copy
    }

    public func removeSessionRoutes(of prefix: String, except names: Set<String>) async -> [String] {
        let states = table.values.filter {
            $0.owner == .session && $0.specification.name.hasPrefix(prefix) && !names.contains($0.specification.name)
        }
        if !states.isEmpty { await remove(states) }
        return states.map(\.specification.name).sorted()
    }

    public func sessionRouteEvents() async -> AsyncStream<SessionRouteEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: SessionRouteEvent.self, bufferingPolicy: .bufferingNewest(1024))
        let number = nextSessionEvents
        nextSessionEvents += 1
        sessionEvents[number] = continuation
        continuation.onTermination = { [weak self] _ in
            Task { await self?.forgetSessionEvents(number) }
        }
        return stream
    }

    private func forgetSessionEvents(_ number: Int) { sessionEvents[number] = nil }

    func tellSessions(_ kind: SessionRouteEvent.Kind, _ event: FastPathEvent, _ state: RouteState) {
        guard state.owner == .session, !sessionEvents.isEmpty else { return }
        let report = SessionRouteEvent(
            kind: kind, route: state.specification.name, source: event.source, sourceUDPPort: event.sourceUDPPort)
        sessionEvents.values.forEach { $0.yield(report) }
    }

    // MARK: Attachments

    public func attachment(towards peer: IPAddress) async throws(RoutingError) -> NetworkAttachment {
        if peer.isLoopback || view.isOwn(peer) { return try ownAttachment(peer.family) }
        let route: HostRoute
        do {
            route = try network.route(to: peer)
        } catch {
            throw RoutingError(
                .unavailable, "\(peer): no way there from this node (\(error)); add an address or a route")
        }
        if route.isLocal { return try ownAttachment(peer.family) }
        guard let interface = view.interfaces[route.interfaceIndex] else {
            throw RoutingError(.unavailable, "\(peer): the interface that leads there has just come; try again")
        }
        let address =
            route.preferredSource ?? view.sourceAddress(on: interface.index, family: peer.family)
        guard let address else {
            throw RoutingError(
                .unavailable,
                "\(peer): \(interface.name), which leads there, has no \(peer.family.rawValue) address; add one")
        }
        return NetworkAttachment(address: address, port: view.reference(to: interface), isLocal: false)
    }

    public func attachment(of local: IPAddress) async throws(RoutingError) -> NetworkAttachment {
        if local.isLoopback { return try ownAttachment(local.family) }
        let found = view.addresses.first { $0.address == local && !$0.isTentative }
        guard let found, let interface = view.interfaces[found.interfaceIndex] else {
            throw RoutingError(.notFound, "\(local): is not an address of this node; 'ip address' shows all")
        }
        if interface.name == hostPortSettings.hostEnd { return try ownAttachment(local.family) }
        return NetworkAttachment(address: local, port: view.reference(to: interface), isLocal: false)
    }

    /// Programs of this node are met at the host port, where the fast path's end is "the node".
    private func ownAttachment(_ family: IPAddress.Family) throws(RoutingError) -> NetworkAttachment {
        try makeHostPort()
        let addresses = hostPortSettings.addresses
        return NetworkAttachment(
            address: family == .ipv4 ? addresses.fastPathIPv4 : addresses.fastPathIPv6, port: .host, isLocal: true)
    }
}
