// States as Prometheus metrics: what alarms are made of.

import FastPath
public import Routing

/// The daemon's states beside the counters.
public struct NodeStates: Sendable {
    /// The flows, judged over time.
    public var flows: [FlowReport]
    /// The routes with their legs; those of sessions included.
    public var routes: [RouteReport]

    public init(flows: [FlowReport], routes: [RouteReport]) {
        self.flows = flows
        self.routes = routes
    }
}

extension PrometheusText {
    static func writeStates(_ states: NodeStates, to writer: inout PrometheusWriter) {
        writer.family(
            "crosspoint_flow_state", .gauge, "The state of a flow; 1 for the state that it has.",
            states.flows.map {
                ([("route", $0.route), ("from", $0.from), ("state", $0.state.rawValue)], 1)
            })
        writer.family(
            "crosspoint_flow_lost_packets_10s", .gauge, "Packets lost in the last 10 seconds.",
            states.flows.compactMap { flow in
                flow.loss.map { ([("route", flow.route), ("from", flow.from)], $0.tenSeconds.lostPackets) }
            })
        writer.family(
            "crosspoint_route_state", .gauge, "The standing of a route: live, refused or quarantined; always 1.",
            states.routes.map { ([("route", $0.specification.name), ("state", $0.standing.rawValue)], 1) })
        writer.family(
            "crosspoint_route_received", .gauge,
            "1 where the group is joined or the UDP port reserved, or that is left to others; 0 where it failed.",
            states.routes.map {
                ([("route", $0.specification.name)], ["joined", "reserved", "off"].contains($0.membership) ? 1 : 0)
            })
        writer.family(
            "crosspoint_leg_state", .gauge, "The state of a leg; 1 for the state that it has.",
            states.routes.flatMap { route in
                route.legs.map {
                    ([("route", route.specification.name), ("leg", "\($0.number)"), ("state", $0.state.rawValue)], 1)
                }
            })
    }
}
