// Installing and uninstalling: ports, flows, memberships, legs and the journal.

import FastPath
import Logging
import Netlink
import RTPWire

extension FlowController {
    // MARK: Taking over

    /// Takes over a route of the journal: its flow is found as it was. Nothing is written. Everything is undone on an error.
    ///
    /// The flow may have the name of another route still, where a process ended between a change's record and its effect: the journal
    /// says whose it is. Only what has no readable record keeps its own.
    func adopt(_ journalled: JournalledRoute, unreadable: Set<String> = []) throws(RoutingError) {
        let route = journalled.intent.specification
        do { try route.validate() } catch { throw RoutingError(error) }
        if route.source.port.isHost || route.legs.contains(where: \.port.isHost) { try makeHostPort() }
        if let problem = RouteChecks.source(route.source, view: view) { throw problem }
        var state = RouteState(intent: journalled.intent, parameters: route.flowParameters)
        do throws(RoutingError) {
            try establishSource(&state) { !unreadable.contains($0) }
            if let flow = state.flow { fastPath.setLabel(state.label, of: flow) }
            state.nextLegNumber = journalled.nextLegNumber
            for known in journalled.legs {
                var new = try makeLeg(known.to, number: known.number, of: state, counter: known.counter)
                // One that does not send yet is opened by its session, or goes with it.
                if known.isShut == true, let flow = state.flow {
                    new.isShut = fastPath.isShut(new.counter, of: flow) ?? true
                }
                resolve(&new, of: route.name)
                state.legs.append(new)
            }
            try chooseEngine(for: &state, isNew: false)
            if let flow = state.flow {
                try setLegs(state.readyLegs, of: flow)
                fastPath.setParameters(state.parameters, of: flow)
            }
            judgeHardwareAddress(of: state)
        } catch {
            for leg in state.legs { release(neighbour: leg.neighbour, of: route.name) }
            releaseHold(of: state)
            throw error
        }
        table[route.name] = state
        revision = max(revision, journalled.intent.revision)
    }

    // MARK: Sources

    /// Attaches the ingress port, installs or finds the flow, and joins or reserves. A flow that is there already is the route's if it has
    /// its name, or one that is wanted.
    func establishSource(
        _ state: inout RouteState, where isWanted: ((String) -> Bool)? = nil
    ) throws(RoutingError) {
        let source = state.specification.source
        let (port, index) = try ingress(of: source)
        let key = FlowKey(source, interfaceIndex: index)
        // A flow that is only made again continues with its knowledge of its packets' indices.
        if state.receiving == nil { state.receiving = try makeReceiving(state.specification) }
        // The flow that drained there is this route's again; its guard goes when the route's own is in place.
        let resumed = draining.remove(key)
        defer { for flow in resumed { if let place = flow.guarded { removeGuard(place) } } }
        let name = state.specification.name
        let known = fastPath.findFlow(key, where: isWanted ?? { $0 == name })
        if let found = known {
            if state.parameters.clockRate == nil { state.parameters.clockRate = fastPath.clockRate(of: found) }
            state.flow = found
            fastPath.setContext(state.receiving?.context, of: found)
            // The port's own address may have changed while nobody looked.
            fastPath.setParameters(state.parameters, of: found)
        } else {
            let flow = try fastPathCall { () throws(FastPathError) in
                try fastPath.installFlow(key, state.parameters, port: port, label: state.label)
            }
            fastPath.setContext(state.receiving?.context, of: flow)
            state.flow = flow
        }
        state.key = key
        do {
            try hold(&state, interfaceIndex: index)
        } catch {
            // A flow that was there before continues, or is nobody's and removed as such.
            if known == nil, let flow = state.flow {
                fastPath.drainFlow(flow)
                fastPath.finishDraining(key)
            }
            state.flow = nil
            throw error
        }
    }

    /// The ingress port of a source, which is attached if need be, and the index of its interface.
    func ingress(of source: SourceSpecification) throws(RoutingError) -> (port: Port, interfaceIndex: UInt32) {
        let port = try attachPort(source.port.interface, of: "source \(source)")
        guard let index = port.interfaceIndex else {
            throw RoutingError(.unavailable, "source \(source): interface \(source.port.interface) is gone")
        }
        return (port, index)
    }

    /// Joins or reserves what the route's source needs, and keeps its packets from the host.
    func hold(_ state: inout RouteState, interfaceIndex: UInt32) throws(RoutingError) {
        let source = state.specification.source
        try addGuard(for: source, interfaceIndex: interfaceIndex)
        do {
            if source.isHeld { state.socket = try holdSocket(for: source) }
            if let key = state.socket, state.specification.delivery == .host { sockets.widen(key) }
        } catch {
            // A guard that stayed would keep another program's packets from it.
            if let place = guardedPlace(source, interfaceIndex: interfaceIndex) { removeGuard(place) }
            throw error
        }
    }

    private func guardedPlace(_ source: SourceSpecification, interfaceIndex: UInt32) -> GuardedPlace? {
        guard source.isHeld else { return nil }
        return source.address.isMulticast
            ? .group(source.address, interfaceIndex: interfaceIndex, vlans: source.port.vlans)
            : .address(source.address, udpPort: source.udpPort)
    }

    private func addGuard(for source: SourceSpecification, interfaceIndex: UInt32) throws(RoutingError) {
        guard let place = guardedPlace(source, interfaceIndex: interfaceIndex) else { return }
        try fastPathCall { () throws(FastPathError) in
            switch place {
            case .group(let group, let index, let vlans):
                try fastPath.guardGroup(group, interfaceIndex: index, vlans: vlans)
            case .address(let address, let udpPort): try fastPath.guardAddress(address, udpPort: udpPort)
            }
        }
    }

    func removeGuard(_ place: GuardedPlace) {
        switch place {
        case .group(let group, let index, let vlans):
            fastPath.unguardGroup(group, interfaceIndex: index, vlans: vlans)
        case .address(let address, let udpPort): fastPath.unguardAddress(address, udpPort: udpPort)
        }
    }

    private func holdSocket(for source: SourceSpecification) throws(RoutingError) -> SocketKey {
        guard let device = view.layer3(source.port), let key = view.socketKey(of: source) else {
            throw RoutingError(.unavailable, "source \(source): its interface is gone")
        }
        try sockets.hold(key) { (socket) throws(RoutingError) in
            if case .join = socket.key { try Membership.renew(socket, interfaceIndex: device.index) }
        } open: { () throws(RoutingError) in
            if source.address.isMulticast {
                return try Membership.join(
                    group: source.address, source: source.source, interface: (device.name, device.index))
            }
            return try UDPPortReservation.reserve(
                address: source.address, udpPort: source.udpPort,
                interface: source.address.isLinkLocalUnicast ? (device.name, device.index) : nil)
        }
        return key
    }

    /// Lets a route's source go: leaves the group, and keeps its packets from the host while they still come.
    func releaseSource(of state: RouteState, drains: Bool) {
        let source = state.specification.source
        releaseSocket(of: state)
        guard let key = state.key, let flow = state.flow else { return }
        let place = guardedPlace(source, interfaceIndex: key.interfaceIndex)
        let isDraining = fastPath.drainFlow(flow)
        if drains, isDraining, let port = fastPath.port(named: source.port.interface) {
            draining.append(
                DrainingFlows.Entry(key: key, port: port, guarded: place, lastCount: fastPath.drainedPackets(at: port)))
        } else {
            if isDraining { fastPath.finishDraining(key) }
            if let place { removeGuard(place) }
        }
    }

    private func releaseSocket(of state: RouteState) {
        guard let key = state.socket else { return }
        do {
            try sockets.release(key)
        } catch {
            logger.warning("\(key): its stored copy could not be closed: \(error)")
        }
    }

    /// Lets go of a route's membership and guard, whose flow another state of the route continues.
    func releaseHold(of state: RouteState) {
        releaseSocket(of: state)
        guard let key = state.key else { return }
        if let place = guardedPlace(state.specification.source, interfaceIndex: key.interfaceIndex) {
            removeGuard(place)
        }
    }

    // MARK: Ports

    /// Attaches the fast path to an interface, if it is not yet.
    @discardableResult
    func attachPort(_ name: String, of whose: String) throws(RoutingError) -> Port {
        if name == PortReference.host.interface { try makeHostPort() }
        guard let interface = view.interface(named: name) else {
            throw RouteChecks.noInterface(name, of: whose, view: view)
        }
        if let port = fastPath.port(named: name), port.interfaceIndex == interface.index, port.mac == interface.mac {
            return port
        }
        return try fastPathCall { () throws(FastPathError) in
            try fastPath.attachPort(name: name, interfaceIndex: interface.index, mac: interface.mac ?? .zero)
        }
    }

    /// Attaches the egress port of a leg. An interface that does not exist is not an error here: the planner refuses it
    /// where the leg may not wait, and at a restart the route's other legs must not wait with it.
    func attachPort(of leg: LegSpecification) throws(RoutingError) {
        guard leg.port.isHost || view.interface(named: leg.port.interface) != nil else { return }
        try attachPort(leg.port.interface, of: "leg \(leg)")
    }

    /// Attaches interfaces that the configuration names, used by routes or not.
    public func attachConfiguredPorts(_ names: [String]) -> [String] {
        configuredPorts = Set(names)
        return names.compactMap { name in
            do throws(RoutingError) {
                try attachPort(name, of: "ports")
                return nil
            } catch {
                return "\(error)"
            }
        }
    }

    /// Gives back interfaces that no route and no configuration needs any more.
    func detachUnusedPorts() {
        for port in fastPath.ports {
            let isUsed =
                configuredPorts.contains(port.name) || table.uses(interface: port.name)
                || port.name == PortReference.host.interface
                || draining.uses(port: port.name)
                || previews.values.contains { $0.contains { $0.specification.source.port.interface == port.name } }
            if !isUsed { fastPath.detachPort(port) }
        }
    }

    // MARK: Legs

    func makeLeg(
        _ leg: LegSpecification, number: UInt32, of state: RouteState, counter: UInt32? = nil
    ) throws(RoutingError) -> LegState {
        try attachPort(of: leg)
        guard let flow = state.flow else {
            throw RoutingError(.unavailable, "leg \(leg): the route's ingress interface is gone")
        }
        let protection = try makeSending(leg, of: state.specification, receiving: state.receiving)
        let taken: UInt32
        if let counter, fastPath.legNumber(ofCounter: counter) == number {
            taken = counter
        } else {
            taken = try fastPathCall { () throws(FastPathError) in
                try fastPath.addLegCounter(flow: flow, number: number, to: leg.description)
            }
        }
        return LegState(
            number: number, specification: leg, counter: taken,
            resolution: .waiting(.unresolved, reason: "not resolved yet", nextHop: nil), neighbour: nil,
            flowFamily: state.specification.source.address.family, protection: protection)
    }

    func describe(_ leg: LegState, flow: FlowHandle) {
        fastPath.describeLeg(leg.counter, flow: flow, number: leg.number, to: leg.specification.description)
    }

    /// Finds out how a leg of a route leaves, and has the kernel keep its next hop resolved.
    func resolve(_ leg: inout LegState, of route: String, by hops: NextHopMemory? = nil) {
        var outcome = lookUp(leg, by: hops)
        if let key = outcome.neighbour {
            retain(neighbour: key, of: route)
            // The answer may have come before the question returned, and its event is then not a change.
            if case .waiting = outcome.resolution, view.neighbours[key]?.isUsable == true {
                outcome = lookUp(leg, by: hops)
            }
        }
        leg.resolution = outcome.resolution
        leg.neighbour = outcome.neighbour
        leg.pathMTU = outcome.pathMTU
    }

    func lookUp(_ leg: LegState, by hops: NextHopMemory? = nil) -> LegResolver.Outcome {
        let resolver = LegResolver(view: view, network: network, hops: hops) { [fastPath] in fastPath.port(named: $0) }
        return resolver.resolve(leg.specification, counter: leg.counter)
    }

    private func retain(neighbour key: NetworkView.NeighbourKey, of route: String) {
        let isFirst = neighbourUses[key] == nil
        neighbourUses[key, default: [:]][route, default: 0] += 1
        if isFirst { askFor(key) }
    }

    /// Asks the kernel to resolve a neighbour and to keep it so. The outcome comes as an event, and only events change what the
    /// legs were resolved with: a neighbour that is entered here would make its event look like no change.
    func askFor(_ key: NetworkView.NeighbourKey) {
        do {
            try network.keepResolved(key.address, interfaceIndex: key.interfaceIndex)
            // An address that was good stays in use while the kernel asks again.
            if let neighbour = try network.neighbour(key.address, interfaceIndex: key.interfaceIndex),
                neighbour.isUsable || view.neighbours[key] == nil
            {
                view.set(neighbour)
            }
        } catch {
            logger.warning("neighbour \(key.address): \(error)")
        }
    }

    func release(neighbour key: NetworkView.NeighbourKey?, of route: String) {
        guard let key, let uses = neighbourUses[key]?[route] else { return }
        neighbourUses[key]?[route] = uses > 1 ? uses - 1 : nil
        guard neighbourUses[key]?.isEmpty == true else { return }
        neighbourUses[key] = nil
        view.forget(key)
        try? network.release(key.address, interfaceIndex: key.interfaceIndex)
    }

    func setLegs(_ legs: [LegParameters], of flow: FlowHandle) throws(RoutingError) {
        try fastPathCall { () throws(FastPathError) in try fastPath.setLegs(legs, of: flow) }
    }

    /// Turns the fast path's refusals into the controller's.
    @discardableResult
    func fastPathCall<Result>(_ call: () throws(FastPathError) -> Result) throws(RoutingError) -> Result {
        do {
            return try call()
        } catch {
            let code: RoutingError.Code =
                switch error.kind {
                case .privileges, .port, .pinned: .unavailable
                case .full: .capacity
                case .kernel: .failed
                }
            throw RoutingError(code, error.message)
        }
    }

    // MARK: Reports

    func report(_ state: RouteState) -> RouteReport {
        let membership: String
        if let problem = state.membershipProblem {
            membership = problem
        } else if state.socket == nil {
            membership = "off"
        } else {
            membership = state.specification.source.address.isMulticast ? "joined" : "reserved"
        }
        let engine = engineReport(state)
        return RouteReport(
            specification: state.specification, owner: state.owner, engine: engine.name, engineReason: engine.reason,
            membership: membership,
            legs: state.legs.map { report($0, of: state, engine: engine) }, standing: .live,
            problem: state.membershipProblem, differsFromFile: state.intent.isChangedLive,
            revision: state.intent.revision, author: state.intent.author)
    }

    /// Reports a leg of a route that has the given engine.
    func report(_ leg: LegState, of state: RouteState, engine: (name: String, reason: String)) -> LegReport {
        switch leg.resolution {
        case .ready(_, let nextHop):
            let interface = view.interface(named: leg.specification.port.interface)
            let isDown = interface.map { !$0.isUp || !$0.isRunning } ?? true
            let isSilent = leg.specification.srtp != nil && engine.name != "afxdp"
            var reason: String?
            if isSilent {
                reason = engine.reason
            } else if isDown {
                reason = "interface \(leg.specification.port.interface) is down or has no carrier"
            } else {
                reason = misfit(of: leg, frameLength: state.frameLength)
            }
            return LegReport(
                number: leg.number, specification: leg.specification,
                state: isSilent ? .noWorker : isDown ? .linkDown : leg.isShut ? .shut : .active,
                reason: reason, nextHop: nextHop.isEmpty ? nil : nextHop)
        case .waiting(let state, let reason, let nextHop):
            return LegReport(
                number: leg.number, specification: leg.specification, state: state, reason: reason, nextHop: nextHop)
        }
    }

    /// The reason for which frames of that length, from Ethernet header to payload, do not fit where the leg sends
    /// them; nil where they do.
    func misfit(of leg: LegState, frameLength: UInt64) -> String? {
        guard let interface = view.interface(named: leg.specification.port.interface),
            let length = leg.length(ofFrames: frameLength)
        else { return nil }
        if length > UInt64(interface.mtu) {
            return
                "packets of \(length) bytes are longer than the MTU of \(interface.name), \(interface.mtu), and are not sent"
        }
        guard let mtu = leg.pathMTU, length > UInt64(mtu) else { return nil }
        return "packets of \(length) bytes are longer than the MTU of the route to \(leg.specification.address), \(mtu)"
    }
}
