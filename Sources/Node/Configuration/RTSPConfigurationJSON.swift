// The section `rtsp` as JSON, with the keys of the file.

import AgentSupport
import RTPWire
import RTSPProxy
import Routing

/// Encodes an `RTSPConfiguration`.
struct RTSPConfigurationJSON: Encodable {
    let rtsp: RTSPConfiguration

    private enum CodingKeys: String, CodingKey {
        case listen, certificate, realm, multicast, linger, routes
        case tlsListen = "tls-listen"
        case authorities = "ca-file"
        case usersFile = "users-file"
        case udpPorts = "udp-ports"
        case sessionTimeout = "session-timeout"
        case trustedNetworks = "trusted-networks"
    }

    /// The key of a limit.
    private struct LimitKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ key: String) { stringValue = key }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    private struct Multicast: Encodable {
        let groups: String
        let interface: String
        let udpPort: UInt16
        let ttl: UInt8

        private enum CodingKeys: String, CodingKey {
            case groups, interface, ttl
            case udpPort = "udp-port"
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rtsp.listeners.filter { !$0.usesTLS }.map(\.text), forKey: .listen)
        try container.encode(rtsp.listeners.filter(\.usesTLS).map(\.text), forKey: .tlsListen)
        try container.encodeIfPresent(
            rtsp.certificate.map { ["chain": $0.chain, "private-key": $0.privateKey] }, forKey: .certificate)
        try container.encodeIfPresent(rtsp.authorities, forKey: .authorities)
        try container.encodeIfPresent(rtsp.usersFile, forKey: .usersFile)
        try container.encode(rtsp.realm, forKey: .realm)
        try container.encode(rtsp.udpPortsText, forKey: .udpPorts)
        let pool = rtsp.multicast.map {
            Multicast(groups: $0.groupsText, interface: $0.port.description, udpPort: $0.udpPort, ttl: $0.timeToLive)
        }
        try container.encodeIfPresent(pool, forKey: .multicast)
        try container.encode(rtsp.sessionTimeout, forKey: .sessionTimeout)
        try container.encode(rtsp.linger, forKey: .linger)
        var limits = encoder.container(keyedBy: LimitKey.self)
        for limit in RTSPConfiguration.limits {
            try limits.encode(rtsp[keyPath: limit.path], forKey: LimitKey(limit.key))
        }
        try container.encode(rtsp.trustedNetworks.map(\.description), forKey: .trustedNetworks)
        try container.encode(rtsp.routes, forKey: .routes)
    }
}
