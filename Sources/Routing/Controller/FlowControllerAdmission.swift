// Whether the links of a route's legs carry them.

import FastPath
import Netlink
import RTPWire
import SRTP
import SRTPKeys

extension FlowController {
    /// Refuses legs that their links cannot carry.
    func admit(
        _ legs: [LegSpecification], route: RouteSpecification, state: RouteState?
    ) throws(RoutingError) {
        let frameLength = state?.observation.frameLength ?? 0
        if route.engine == .kernel,
            let refusal = AdmissionControl.refusal(frameLength: frameLength, legs: route.legs.count)
        {
            throw RoutingError(.capacity, "route \(route.name): \(refusal)")
        }
        // What a new route decrypts is not at work yet, nor is what its legs encrypt.
        var decrypted = 0
        if let key = route.source.srtp {
            decrypted = -(try keys.material(key.key, of: "source \(route.source)").overhead)
        }
        for (name, legs) in Dictionary(grouping: legs, by: \.port.interface) {
            var adding: [UInt64] = []
            for leg in legs {
                var growth = decrypted
                if let key = leg.srtp { growth += try keys.material(key.key, of: "leg \(leg)").overhead }
                // Of a rate that nobody knows there is nothing to say.
                guard let rate = rate(of: leg, route, state?.observation, growth: growth) else { continue }
                adding.append(rate)
            }
            let existing = table.values.flatMap { other in
                other.legs.filter { $0.specification.port.interface == name }.compactMap { leg in
                    rate(
                        of: leg.specification, other.specification, other.observation,
                        growth: (leg.protection?.context.growth ?? 0) + (other.receiving?.context.growth ?? 0))
                }
            }
            let refusal = AdmissionControl.refusal(
                port: name, speed: view.interface(named: name)?.speed, existing: existing, adding: adding)
            if let refusal { throw RoutingError(.capacity, "route \(route.name): \(refusal)") }
        }
    }

    /// Bits per second of a leg on the wire, whose payload is `growth` bytes longer than the flow's; nil while nobody knows.
    private func rate(
        of leg: LegSpecification, _ route: RouteSpecification, _ observation: FlowObservation?, growth: Int
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
