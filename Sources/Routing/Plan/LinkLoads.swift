// Check that the links of a batch's new legs carry them.

import FastPath
import Netlink
import RTPWire

/// The load of each link after the part of a batch that was admitted so far.
struct LinkLoads {
    private let table: RouteTable
    private let draft: PlanDraft
    private let view: NetworkView?
    private let overhead: (KeyReference, String) throws(RoutingError) -> Int
    /// Bits per second on the wire, by interface, as far as anybody asked.
    private var loads: [String: UInt64] = [:]

    init(
        table: RouteTable, draft: PlanDraft, view: NetworkView?,
        overhead: @escaping (KeyReference, String) throws(RoutingError) -> Int
    ) {
        self.table = table
        self.draft = draft
        self.view = view
        self.overhead = overhead
    }

    /// Refuses a route's new legs where their links cannot carry them; else counts them. `legCount` is the number of all its legs, where
    /// that is not what its specification says.
    mutating func admit(_ route: PlannedRoute, legCount: Int? = nil) throws(RoutingError) {
        guard let view, let specification = route.intent?.specification else { return }
        let state = table[route.name]
        let observation = state?.observation
        if specification.engine == .kernel,
            let refusal = AdmissionControl.refusal(
                frameLength: observation?.frameLength ?? 0, legs: legCount ?? specification.legs.count)
        {
            throw RoutingError(.capacity, "route \(route.name): \(refusal)")
        }
        // Of a rate that nobody knows there is nothing to say, and whoever forces a route says it himself.
        guard !specification.isForced, (specification.wireRate ?? observation?.wireRate ?? 0) > 0 else { return }
        let decrypted =
            try specification.source.srtp.map { (key) throws(RoutingError) in
                -(try overhead(key, "source \(specification.source)"))
            } ?? 0
        let isOtherRate = state.map { $0.specification.wireRate != specification.wireRate } ?? false
        var adding: [String: [UInt64]] = [:]
        for leg in route.legs where !leg.specification.isForced && (isOtherRate || isAdded(leg, to: state)) {
            let rate = try rate(
                of: leg.specification, specification, observation, decrypted: decrypted, view: view)
            if let rate { adding[leg.specification.port.interface, default: []].append(rate) }
        }
        for (name, rates) in adding.sorted(by: { $0.key < $1.key }) {
            let before = loads[name] ?? load(of: name, view: view)
            let refusal = AdmissionControl.refusal(
                port: name, speed: view.interface(named: name)?.speed, existing: [before], adding: rates)
            if let refusal { throw RoutingError(.capacity, "route \(route.name): \(refusal)") }
            loads[name] = rates.reduce(before, +)
        }
    }

    /// True where a leg is one more for its link.
    private func isAdded(_ leg: PlannedLeg, to state: RouteState?) -> Bool {
        switch leg {
        case .kept: false
        case .new: true
        case .changed(let number, let specification):
            state?.legs.first { $0.number == number }?.specification.port.interface != specification.port.interface
        }
    }

    /// The load of a link by the routes that run and stay: those that the batch changes count with the legs that they keep.
    private func load(of interface: String, view: NetworkView) -> UInt64 {
        var sum: UInt64 = 0
        for name in table.routes(on: interface) {
            guard let state = table[name] else { continue }
            let kept = draft.changed(name).map { Set($0.legs.compactMap(\.number)) }
            for leg in state.legs where leg.specification.port.interface == interface {
                if let kept, !kept.contains(leg.number) { continue }
                let growth = (leg.protection?.context.growth ?? 0) + (state.receiving?.context.growth ?? 0)
                sum +=
                    Self.rate(of: leg.specification, state.specification, state.observation, growth: growth, view: view)
                    ?? 0
            }
        }
        return sum
    }

    private func rate(
        of leg: LegSpecification, _ route: RouteSpecification, _ observation: FlowObservation?, decrypted: Int,
        view: NetworkView
    ) throws(RoutingError) -> UInt64? {
        var growth = decrypted
        if let key = leg.srtp { growth += try overhead(key, "leg \(leg)") }
        return Self.rate(of: leg, route, observation, growth: growth, view: view)
    }

    /// Bits per second of a leg on the wire, whose payload is `growth` bytes longer than the flow's; nil while nobody knows.
    private static func rate(
        of leg: LegSpecification, _ route: RouteSpecification, _ observation: FlowObservation?, growth: Int,
        view: NetworkView
    ) -> UInt64? {
        let source = route.source
        guard let wireRate = route.wireRate ?? observation?.wireRate, wireRate > 0 else { return nil }
        var growth = growth + 4 * (leg.port.vlans.count - source.port.vlans.count)
        if leg.address.family != source.address.family { growth += leg.address.family == .ipv6 ? 20 : -20 }
        return AdmissionControl.rate(
            wireRate: wireRate, packetRate: observation?.packetRate ?? 0,
            mtu: view.interface(named: source.port.interface)?.mtu ?? 1500, growth: growth)
    }
}
