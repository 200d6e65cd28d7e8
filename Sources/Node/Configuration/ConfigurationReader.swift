// From the nodes of the YAML to the configuration: every key, its form and its default.

import AFXDP
import Logging
import RTPWire
import RTSPProxy
import Routing
import SIPAgent

/// Reads the top of a configuration file.
struct ConfigurationReader {
    let root: ConfigurationNode
    /// True if the files that it names must be there and fit to be used.
    let checksFiles: Bool

    private static let keys = [
        "node", "ports", "routes", "control", "metrics", "runtime-directory", "bpffs", "limits", "log-level",
        "host-port", "keys-directory", "state-directory", "afxdp", "rtsp", "sip",
    ]

    func read() throws(ConfigurationError) -> NodeConfiguration {
        let values = try root.values(known: Self.keys)
        var configuration = NodeConfiguration()
        if let node = values["node"] { configuration.node = try name(node) }
        if let node = values["runtime-directory"] {
            configuration.runtimeDirectory = try node.path()
            configuration.control.socket = configuration.runtimeDirectory + "/control.sock"
        }
        if let node = values["bpffs"] { configuration.bpffs = try node.path() }
        if let node = values["keys-directory"] { configuration.keysDirectory = try node.path() }
        if let node = values["state-directory"] { configuration.stateDirectory = try node.path() }
        if let node = values["ports"] { configuration.ports = try ports(node) }
        if let node = values["control"] { try readControl(node, into: &configuration.control) }
        try checkSocket(configuration.control.socket, values["control"] ?? values["runtime-directory"] ?? root)
        if let node = values["metrics"] { configuration.metrics = try metrics(node) }
        if let node = values["limits"] { configuration.limits = try limits(node) }
        if let node = values["log-level"] { configuration.logLevel = try logLevel(node) }
        if let node = values["host-port"] { configuration.hostPort = try hostPort(node) }
        if let node = values["afxdp"] { configuration.engine = try engine(node) }
        if let node = values["rtsp"] {
            configuration.rtsp = try RTSPReader(node: node, checksFiles: checksFiles).read()
        }
        if let node = values["sip"] {
            configuration.sip = try SIPReader(node: node, checksFiles: checksFiles).read()
            try checkUDPPorts(configuration, node)
        }
        if let node = values["routes"], !node.isEmpty {
            configuration.routes = try RoutesReader(node: node, limits: configuration.limits).read()
        }
        return configuration
    }

    /// Both agents take UDP ports without asking each other.
    private func checkUDPPorts(_ configuration: NodeConfiguration, _ node: ConfigurationNode) throws(ConfigurationError)
    {
        guard let rtsp = configuration.rtsp, let sip = configuration.sip, rtsp.udpPorts.overlaps(sip.udpPorts) else {
            return
        }
        throw node.error(
            "udp-ports \(sip.udpPortsText) overlap those of section rtsp, \(rtsp.udpPortsText); give each its own range"
        )
    }

    private func name(_ node: ConfigurationNode) throws(ConfigurationError) -> String {
        let text = try node.text()
        guard text.utf8.count <= 63, text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7f }) else {
            throw node.error("'\(text)' cannot be a node's name; use up to 63 characters without spaces")
        }
        return text
    }

    private func ports(_ node: ConfigurationNode) throws(ConfigurationError) -> [String] {
        var names: [String] = []
        for element in try node.elements() {
            let port = try element.parse { text throws(SpecificationError) in try PortReference(text) }
            guard port.vlans.isEmpty else {
                throw element.error(
                    "'\(port)' names a VLAN; attach its interface '\(port.interface)', routes name the VLAN")
            }
            guard !names.contains(port.interface) else { throw element.error("'\(port)' stands twice; keep one") }
            names.append(port.interface)
        }
        return names
    }

    private func readControl(
        _ node: ConfigurationNode, into control: inout NodeConfiguration.Control
    ) throws(ConfigurationError) {
        let values = try node.values(known: ["socket", "group"])
        if let socket = values["socket"] {
            control.socket = try socket.path()
            try checkSocket(control.socket, socket)
        }
        if let group = values["group"] { control.group = try group.text() }
    }

    /// `sockaddr_un` holds 107 bytes and a zero.
    private func checkSocket(_ path: String, _ node: ConfigurationNode) throws(ConfigurationError) {
        guard path.utf8.count <= 107 else {
            throw node.error(
                "the socket's path '\(path)' is longer than the 107 bytes that Linux allows; use a shorter one")
        }
    }

    private func metrics(_ node: ConfigurationNode) throws(ConfigurationError) -> ListenAddress? {
        let values = try node.values(known: ["listen"])
        guard let listen = values["listen"] else { return .defaultMetrics }
        let text = try listen.text()
        if text == "off" { return nil }
        guard let address = ListenAddress(text) else {
            throw listen.error("'\(text)' is no address and TCP port; write 127.0.0.1:9464, [::1]:9464 or off")
        }
        return address
    }

    private func limits(_ node: ConfigurationNode) throws(ConfigurationError) -> NodeConfiguration.Limits {
        let values = try node.values(known: ["flows", "legs"])
        var limits = NodeConfiguration.Limits()
        if let flows = values["flows"] { limits.flows = try flows.number(in: 1...1_048_576) }
        if let legs = values["legs"] { limits.legs = try legs.number(in: 1...1_048_576) }
        return limits
    }

    private func engine(_ node: ConfigurationNode) throws(ConfigurationError) -> EngineSettings {
        let values = try node.values(known: ["workers", "frames", "mode", "polling", "payload-sharing"])
        var settings = EngineSettings()
        if let node = values["workers"] { settings.workers = try node.number(in: EngineSettings.workerRange) }
        if let node = values["frames"] {
            settings.frames = try node.number(in: EngineSettings.frameRange)
            guard settings.frames & (settings.frames - 1) == 0 else {
                throw node.error("'\(settings.frames)' is no power of two; use 8192, or another one")
            }
        }
        if let node = values["mode"] { settings.mode = try word(node, "mode") }
        if let node = values["polling"] { settings.polling = try word(node, "polling") }
        if let node = values["payload-sharing"] { settings.payloadSharing = try word(node, "payload-sharing") }
        return settings
    }

    private func word<Word: RawRepresentable & CaseIterable>(
        _ node: ConfigurationNode, _ key: String
    ) throws(ConfigurationError) -> Word where Word.RawValue == String {
        try node.parse { text throws(SpecificationError) in try Word(text, setting: key) }
    }

    private func hostPort(_ node: ConfigurationNode) throws(ConfigurationError) -> HostPortSettings {
        let values = try node.values(known: ["ipv4", "ipv6"])
        var networks = HostPortSettings()
        if let ipv4 = values["ipv4"] { networks.ipv4 = try hostPortNetwork(ipv4, like: networks.ipv4) }
        if let ipv6 = values["ipv6"] { networks.ipv6 = try hostPortNetwork(ipv6, like: networks.ipv6) }
        return networks
    }

    /// A network with room for an address at either end of the veth pair.
    private func hostPortNetwork(
        _ node: ConfigurationNode, like example: IPNetwork
    ) throws(ConfigurationError) -> IPNetwork {
        let text = try node.text()
        guard let network = IPNetwork(text), network.address.family == example.address.family, network.hostBits >= 2,
            network.prefixLength >= 8,
            !network.address.isMulticast, !network.address.isLoopback, !network.address.isUnspecified,
            !network.address.isLinkLocalUnicast
        else {
            throw node.error(
                "'\(text)' is no \(example.address.family.rawValue) network with room for two hosts; write one that "
                    + "nobody else on this host uses, such as \(example)")
        }
        return network
    }

    private func logLevel(_ node: ConfigurationNode) throws(ConfigurationError) -> Logger.Level {
        let text = try node.text()
        guard let level = Logger.Level(rawValue: text) else {
            let levels = Logger.Level.allCases.map(\.rawValue)
            throw node.error("'\(text)' is no log level; \(Suggestion.remedy(for: text, in: levels))")
        }
        return level
    }
}
