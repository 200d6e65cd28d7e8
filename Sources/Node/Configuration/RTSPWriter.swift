// The section `rtsp` of a configuration as YAML.

import AgentSupport
import RTPWire
import RTSPProxy
import Routing
import Yams

extension ConfigurationWriter {
    /// The section; what has its default is left out.
    static func node(of rtsp: RTSPConfiguration) -> Yams.Node {
        let defaults = RTSPConfiguration()
        let defaultListeners = RTSPConfiguration.defaultListeners(hasCertificate: rtsp.certificate != nil)
        var pairs: [(Yams.Node, Yams.Node)] = []
        for (key, usesTLS) in [("listen", false), ("tls-listen", true)] {
            let listeners = rtsp.listeners.filter { $0.usesTLS == usesTLS }
            guard listeners != defaultListeners.filter({ $0.usesTLS == usesTLS }) else { continue }
            let texts = listeners.map { $0.address == nil ? plain($0.text) : scalar($0.text) }
            pairs.append((scalar(key), Yams.Node(texts, .implicit, texts.isEmpty ? .flow : .block)))
        }
        if let certificate = rtsp.certificate {
            pairs.append(
                (
                    scalar("certificate"),
                    Yams.Node([
                        (scalar("chain"), scalar(certificate.chain)),
                        (scalar("private-key"), scalar(certificate.privateKey)),
                    ])
                ))
        }
        func add(_ key: String, _ text: String?) {
            if let text { pairs.append((scalar(key), scalar(text))) }
        }
        func add(_ key: String, _ number: KeyPath<RTSPConfiguration, Int>) {
            if rtsp[keyPath: number] != defaults[keyPath: number] {
                pairs.append((scalar(key), plain("\(rtsp[keyPath: number])")))
            }
        }
        add("ca-file", rtsp.authorities)
        add("users-file", rtsp.usersFile)
        if rtsp.realm != defaults.realm { add("realm", rtsp.realm) }
        if rtsp.udpPorts != defaults.udpPorts { add("udp-ports", rtsp.udpPortsText) }
        if let pool = rtsp.multicast { pairs.append((scalar("multicast"), node(of: pool))) }
        add("session-timeout", \.sessionTimeout)
        add("linger", \.linger)
        for limit in RTSPConfiguration.limits { add(limit.key, limit.path) }
        if !rtsp.trustedNetworks.isEmpty {
            pairs.append((scalar("trusted-networks"), list(rtsp.trustedNetworks.map(\.description))))
        }
        if !rtsp.routes.isEmpty { pairs.append((scalar("routes"), Yams.Node(rtsp.routes.map(node)))) }
        return Yams.Node(pairs, .implicit, pairs.isEmpty ? .flow : .block)
    }

    private static func node(of pool: MulticastPool) -> Yams.Node {
        Yams.Node([
            (scalar("groups"), scalar(pool.groupsText)), (scalar("interface"), scalar(pool.port.description)),
            (scalar("udp-port"), plain("\(pool.udpPort)")), (scalar("ttl"), plain("\(pool.timeToLive)")),
        ])
    }

    private static func node(of route: RTSPRoute) -> Yams.Node {
        let defaults = RTSPRoute(name: route.name, match: route.match, source: route.source)
        var pairs: [(Yams.Node, Yams.Node)] = []
        func add(_ key: RTSPRoute.CodingKeys, _ value: Yams.Node) { pairs.append((scalar(key.rawValue), value)) }
        add(.name, scalar(route.name))
        switch route.match {
        case .path(let text): add(.path, scalar(text))
        case .prefix(let text): add(.prefix, scalar(text))
        case .expression(let text): add(.expression, scalar(text))
        }
        switch route.source {
        case .upstream(let text): add(.upstream, scalar(text))
        case .publisher: add(.publish, plain("true"))
        }
        if route.transport != defaults.transport { add(.transport, scalar(route.transport.rawValue)) }
        if let fingerprint = route.fingerprint { add(.fingerprint, scalar(fingerprint)) }
        if route.read != defaults.read { add(.read, node(of: route.read)) }
        if route.publish != defaults.publish { add(.publishUsers, node(of: route.publish)) }
        if !route.allowedNetworks.isEmpty { add(.allow, list(route.allowedNetworks)) }
        if !route.allowedDestinations.isEmpty { add(.destinations, list(route.allowedDestinations)) }
        if !route.isOnDemand { add(.onDemand, plain("false")) }
        if route.sendsMulticast { add(.multicast, plain("true")) }
        return Yams.Node(pairs)
    }

    private static func node(of permission: RTSPRoute.Permission) -> Yams.Node {
        switch permission {
        case .anyone: scalar("anyone")
        case .anyUser: scalar("any-user")
        case .users(let users): list(users.sorted())
        }
    }
}
