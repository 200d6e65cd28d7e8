// Choice of the engine that carries a route, and the AF_XDP sockets that follow from it.

import AFXDP
import FastPath
import Logging
import Netlink

extension FlowController {
    /// The engine that a route should have.
    private func wanted(_ state: borrowing RouteState) -> (engine: FlowParameters.Engine, reason: EngineReason) {
        let specification = state.specification
        guard specification.delivery == .legs else { return (.kernel, .ordinary) }
        if let engine = specification.engineOfSRTP { return (engine, .encryption) }
        switch specification.engine {
        case .kernel: return (.kernel, .kernelAskedFor)
        case .afxdp: return (.afxdp, .afxdpAskedFor)
        case .auto:
            let refusal = AdmissionControl.refusal(
                frameLength: state.observation.frameLength, legs: specification.legs.count)
            return refusal == nil ? (.kernel, .ordinary) : (.afxdp, .longFrames)
        }
    }

    /// Gives a route the engine that it should have, and opens the sockets that it needs there; the installer of the
    /// route passes it to the fast path.
    ///
    /// - Throws: if AF_XDP was asked for and cannot be had. A route that carries packets already continues in the
    ///   kernel engine instead.
    func chooseEngine(for state: inout RouteState, isNew: Bool = true) throws(RoutingError) {
        let (engine, reason) = wanted(state)
        state.engineProblem = nil
        state.parameters.engine = engine
        state.parameters.engineReason = reason
        guard engine != .kernel, state.flow != nil else { return }
        do {
            try packetEngine.set(enginePorts(with: state))
        } catch {
            state.engineProblem = "\(error)"
            if engine == .afxdpOnly {
                guard isNew else {
                    return logger.error("route \(state.specification.name): no engine, nothing is sent: \(error)")
                }
            } else {
                state.parameters.engine = .kernel
                state.parameters.engineReason = .unavailable
                guard isNew, state.specification.engine == .afxdp || state.specification.usesSRTP else {
                    return logger.error("route \(state.specification.name): engine kernel instead of afxdp: \(error)")
                }
            }
            throw RoutingError(
                error.kind == .kernel ? .failed : .unavailable, "route \(state.specification.name): \(error)")
        }
    }

    /// The ports at which AF_XDP sockets are needed, by all routes and by one that is being changed.
    private func enginePorts(with changed: RouteState? = nil) -> [EnginePort] {
        var receiving: [String: Bool] = [:]
        // Those of a batch that is being staged count as they will be.
        var states = staging
        if let changed { states[changed.specification.name] = changed }
        let others = table.values.filter { states[$0.specification.name] == nil }
        for state in others + Array(states.values)
        where state.parameters.engine != .kernel && state.flow != nil {
            receiving[state.specification.source.port.interface] = true
            for leg in state.legs where receiving[leg.specification.port.interface] == nil {
                receiving[leg.specification.port.interface] = false
            }
        }
        return receiving.compactMap { name, receives in
            guard let port = fastPath.port(named: name), let index = port.interfaceIndex,
                let interface = view.interface(named: name), interface.index == index
            else { return nil }
            return EnginePort(
                number: port.number, name: interface.name, interfaceIndex: index,
                queues: Int(max(interface.receiveQueues, 1)), mtu: Int(interface.mtu), receives: receives,
                hasZeroCopy: Self.hasZeroCopy(interface), sendsWhenPolled: Self.sendsWhenPolled(interface))
        }
    }

    /// True if zero-copy is to be had at an interface without harm to the kernel engine's flows; nil where nobody says.
    ///
    /// A frame that leaves a queue with zero-copy by XDP_REDIRECT has no headroom (xdp_convert_zc_to_xdp_frame()), and virtio_net, which
    /// needs some for its own header, refuses it: all flows of the kernel engine that come in there would end.
    private static func hasZeroCopy(_ interface: NetworkInterface) -> Bool? {
        interface.driver == "virtio_net" ? false : interface.xdpFeatures.map { $0.contains(.zeroCopy) }
    }

    /// True if a driver sends when it is polled for received frames: virtio_net has a NAPI instance of its own for each direction.
    private static func sendsWhenPolled(_ interface: NetworkInterface) -> Bool { interface.driver != "virtio_net" }

    /// Makes the sockets those that the routes need now.
    func refreshEngine() {
        guard !packetEngine.ports.isEmpty || table.engineRoutes > 0 else { return }
        do {
            try packetEngine.set(enginePorts())
            engineProblem = nil
        } catch {
            // Flows continue in the kernel engine by themselves; reviewEngines() tries again.
            if engineProblem != error.message { logger.error("AF_XDP engine: \(error)") }
            engineProblem = error.message
        }
    }

    /// Once a second: routes that should have another engine get it.
    func reviewEngines() {
        let isTimeToRetry = seconds % 10 == 0
        let names = table.names { state in
            state.engineProblem == nil ? wanted(state).engine != state.parameters.engine : isTimeToRetry
        }
        for name in names {
            guard var state = table[name] else { continue }
            let reason = wanted(state).reason
            let before = state
            do {
                try chooseEngine(for: &state, isNew: false)
            } catch {
                state = before
                state.engineProblem = error.message
            }
            if state.parameters != before.parameters {
                if let flow = state.flow { fastPath.setParameters(state.parameters, of: flow) }
                let name = state.parameters.engine == .kernel ? "kernel" : "afxdp"
                logger.info("route \(state.specification.name): engine \(name): \(reason.text)")
            }
            table[state.specification.name] = state
        }
        guard !packetEngine.ports.isEmpty || table.engineRoutes > 0 else { return }
        if !packetEngine.isComplete(enginePorts()), engineProblem == nil || seconds % 10 == 0 { refreshEngine() }
    }

    /// The engine that carries a route now, and why.
    func engineReport(_ state: RouteState) -> (name: String, reason: String) {
        if let problem = state.engineProblem { return (Self.engineWithoutWorker(state), problem) }
        guard state.parameters.engine != .kernel else { return ("kernel", state.parameters.engineReason.text) }
        let name = state.specification.source.port.interface
        guard packetEngine.ports.contains(where: { $0.receives && fastPath.port(named: name)?.number == $0.number })
        else {
            let reason: EngineReason = state.parameters.engineReason == .encryption ? .noWorkerForEncryption : .noWorker
            return (
                Self.engineWithoutWorker(state),
                state.parameters.engine == .afxdpOnly ? EngineReason.noWorker.text : reason.text
            )
        }
        return ("afxdp", state.parameters.engineReason.text)
    }

    /// The engine of a route that should have a worker and has none.
    private static func engineWithoutWorker(_ state: RouteState) -> String {
        switch state.specification.engineOfSRTP {
        case .afxdpOnly: "none"
        case .afxdp: "partly"
        case .kernel, nil: "kernel"
        }
    }
}
