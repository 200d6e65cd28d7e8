// The configuration as JSON, with the keys of the file.

import AFXDP
import Logging
import RTPWire
import Routing

extension NodeConfiguration: Encodable {
    private enum CodingKeys: String, CodingKey {
        case node, ports, routes, control, metrics, bpffs, limits, afxdp, rtsp, sip
        case hostPort = "host-port"
        case runtimeDirectory = "runtime-directory"
        case logLevel = "log-level"
        case keysDirectory = "keys-directory"
        case stateDirectory = "state-directory"
    }

    private struct RouteName: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(node, forKey: .node)
        try container.encode(ports, forKey: .ports)
        var controlKeys = container.nestedContainer(keyedBy: RouteName.self, forKey: .control)
        try controlKeys.encode(control.socket, forKey: RouteName(stringValue: "socket"))
        try controlKeys.encodeIfPresent(control.group, forKey: RouteName(stringValue: "group"))
        try container.encode(["listen": metrics?.description ?? "off"], forKey: .metrics)
        try container.encode(runtimeDirectory, forKey: .runtimeDirectory)
        try container.encode(bpffs, forKey: .bpffs)
        try container.encode(limits, forKey: .limits)
        try container.encode(logLevel.rawValue, forKey: .logLevel)
        try container.encode(
            ["ipv4": hostPort.ipv4.description, "ipv6": hostPort.ipv6.description], forKey: .hostPort)
        try container.encode(keysDirectory, forKey: .keysDirectory)
        try container.encode(stateDirectory, forKey: .stateDirectory)
        var engineKeys = container.nestedContainer(keyedBy: RouteName.self, forKey: .afxdp)
        try engineKeys.encodeIfPresent(engine.workers, forKey: RouteName(stringValue: "workers"))
        try engineKeys.encode(engine.frames, forKey: RouteName(stringValue: "frames"))
        try engineKeys.encode(engine.mode.rawValue, forKey: RouteName(stringValue: "mode"))
        try engineKeys.encode(engine.polling.rawValue, forKey: RouteName(stringValue: "polling"))
        try engineKeys.encode(engine.payloadSharing.rawValue, forKey: RouteName(stringValue: "payload-sharing"))
        try container.encodeIfPresent(rtsp.map(RTSPConfigurationJSON.init), forKey: .rtsp)
        try container.encodeIfPresent(sip?.settings, forKey: .sip)
        var routeKeys = container.nestedContainer(keyedBy: RouteName.self, forKey: .routes)
        for route in routes { try routeKeys.encode(route, forKey: RouteName(stringValue: route.name)) }
    }
}
