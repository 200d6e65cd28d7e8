// The section `rtsp` of a configuration file, apart from its routes.

import AgentSupport
import RTPWire
import RTSPProxy
import Routing

/// Reads the section `rtsp`.
struct RTSPReader {
    let node: ConfigurationNode
    /// True if the files that it names must be there and fit to be used.
    let checksFiles: Bool

    static let keys =
        [
            "listen", "tls-listen", "certificate", "ca-file", "users-file", "realm", "udp-ports", "multicast",
            "session-timeout", "linger",
        ] + RTSPConfiguration.limits.map(\.key) + ["trusted-networks", "routes"]

    func read() throws(ConfigurationError) -> RTSPConfiguration {
        let values = try node.values(known: Self.keys)
        var rtsp = RTSPConfiguration()
        if let node = values["certificate"] { rtsp.certificate = try node.certificate(checks: checksFiles) }
        rtsp.listeners = try listeners(values, hasCertificate: rtsp.certificate != nil)
        if let node = values["ca-file"] { rtsp.authorities = try node.file(checks: checksFiles) }
        if let node = values["users-file"] { rtsp.usersFile = try node.file(checks: checksFiles, isSecret: true) }
        if let node = values["realm"] { rtsp.realm = try node.realm() }
        if let node = values["udp-ports"] { rtsp.udpPorts = try node.udpPorts(example: rtsp.udpPorts) }
        if let node = values["multicast"] { rtsp.multicast = try multicast(node) }
        if let node = values["session-timeout"] { rtsp.sessionTimeout = try node.number(in: 5...86_400) }
        if let node = values["linger"] { rtsp.linger = try node.number(in: 0...86_400) }
        for limit in RTSPConfiguration.limits {
            if let node = values[limit.key] { rtsp[keyPath: limit.path] = try node.number(in: limit.range) }
        }
        if let node = values["trusted-networks"] { rtsp.trustedNetworks = try node.networks() }
        if let node = values["routes"], !node.isEmpty {
            rtsp.routes = try RTSPRoutesReader(
                node: node, hasUsers: rtsp.usersFile != nil, hasGroups: rtsp.multicast != nil
            ).read()
        }
        return rtsp
    }

    private func listeners(
        _ values: [String: ConfigurationNode], hasCertificate: Bool
    ) throws(ConfigurationError) -> [RTSPConfiguration.Listener] {
        var listeners: [RTSPConfiguration.Listener] = []
        var lines: [Int] = []
        for (key, usesTLS) in [("listen", false), ("tls-listen", true)] {
            guard let node = values[key] else {
                let defaults = RTSPConfiguration.defaultListeners(hasCertificate: hasCertificate)
                let wanted = defaults.filter { $0.usesTLS == usesTLS }
                listeners += wanted
                lines += wanted.map { _ in self.node.line }
                continue
            }
            let elements = try node.elements()
            guard !usesTLS || elements.isEmpty || hasCertificate else {
                throw node.error("needs a certificate; name it: certificate: {chain: FILE, private-key: FILE}")
            }
            for element in elements {
                let text = try element.text()
                guard let listener = RTSPConfiguration.Listener(text, usesTLS: usesTLS) else {
                    throw element.error(
                        "'\(text)' is neither a TCP port nor an address and a TCP port; write 554, 10.1.0.1:554 or \"[::1]:554\""
                    )
                }
                if let other = listeners.firstIndex(where: listener.overlaps) {
                    throw element.error(
                        "'\(text)' listens where '\(listeners[other].text)' of line \(lines[other]) does; keep one")
                }
                listeners.append(listener)
                lines.append(element.line)
            }
        }
        guard !listeners.isEmpty else {
            throw (values["listen"] ?? node).error(
                "is empty, so that nobody can connect; list TCP ports, or leave it out")
        }
        return listeners
    }

    private func multicast(_ node: ConfigurationNode) throws(ConfigurationError) -> MulticastPool {
        let values = try node.values(known: ["groups", "interface", "udp-port", "ttl"])
        guard let groups = values["groups"], let interface = values["interface"] else {
            throw node.error(
                "has no '\(values["groups"] == nil ? "groups" : "interface")'; "
                    + "write groups: 239.20.0.0/24, and the interface that they are sent by")
        }
        let (first, count) = try groups.parse { text throws(SpecificationError) in try MulticastPool.groups(text) }
        let port = try interface.parse { text throws(SpecificationError) in try PortReference(text) }
        var pool = MulticastPool(first: first, count: count, port: port)
        if let udpPort = values["udp-port"] {
            let number = try udpPort.number(in: 1024...65_534)
            guard number % 2 == 0 else {
                throw udpPort.error("'\(number)' is odd; use an even one, RTCP has the next (RFC 3550 section 11)")
            }
            pool.udpPort = UInt16(number)
        }
        if let ttl = values["ttl"] { pool.timeToLive = UInt8(try ttl.number(in: 1...255)) }
        return pool
    }
}

extension RTSPConfiguration {
    /// The listeners of a node for which none are configured: the ports of RTSP, and of RTSPS where it can.
    static func defaultListeners(hasCertificate: Bool) -> [Listener] {
        RTSPConfiguration().listeners + (hasCertificate ? [Listener(tcpPort: 322, usesTLS: true)] : [])
    }

    /// `20000-29999`.
    var udpPortsText: String { "\(udpPorts.lowerBound)-\(udpPorts.upperBound)" }
}
