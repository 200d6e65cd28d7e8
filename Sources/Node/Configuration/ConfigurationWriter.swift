// The text of a configuration: the same configuration always gives the same bytes.

import AFXDP
import Logging
import RTPWire
import Routing
import Yams

/// Writes configurations as YAML.
public enum ConfigurationWriter {
    private static let header = """
        # Configuration of a Crosspoint node, as 'crosspoint config save' writes it.
        # After a change: 'crosspoint config check FILE', then reload the daemon (SIGHUP).

        """

    /// The configuration file that reads as `configuration`. What has its default is left out, except the node's name.
    public static func text(of configuration: NodeConfiguration) -> String {
        let defaults = NodeConfiguration()
        var pairs: [(Yams.Node, Yams.Node)] = [("node", scalar(configuration.node))]
        if !configuration.ports.isEmpty { pairs.append(("ports", list(configuration.ports))) }
        var control: [(Yams.Node, Yams.Node)] = []
        if configuration.control.socket != configuration.runtimeDirectory + "/control.sock" {
            control.append(("socket", scalar(configuration.control.socket)))
        }
        if let group = configuration.control.group { control.append(("group", scalar(group))) }
        if !control.isEmpty { pairs.append(("control", Yams.Node(control))) }
        if configuration.metrics != defaults.metrics {
            let listen = configuration.metrics.map(\.description) ?? "off"
            pairs.append(("metrics", Yams.Node([(scalar("listen"), scalar(listen))])))
        }
        if configuration.runtimeDirectory != defaults.runtimeDirectory {
            pairs.append(("runtime-directory", scalar(configuration.runtimeDirectory)))
        }
        if configuration.bpffs != defaults.bpffs { pairs.append(("bpffs", scalar(configuration.bpffs))) }
        var limits: [(Yams.Node, Yams.Node)] = []
        if configuration.limits.flows != defaults.limits.flows {
            limits.append(("flows", plain("\(configuration.limits.flows)")))
        }
        if configuration.limits.legs != defaults.limits.legs {
            limits.append(("legs", plain("\(configuration.limits.legs)")))
        }
        if !limits.isEmpty { pairs.append(("limits", Yams.Node(limits))) }
        if configuration.logLevel != defaults.logLevel {
            pairs.append(("log-level", scalar(configuration.logLevel.rawValue)))
        }
        if configuration.hostPort != defaults.hostPort {
            let networks = [
                ("ipv4", configuration.hostPort.ipv4.description), ("ipv6", configuration.hostPort.ipv6.description),
            ]
            pairs.append(("host-port", Yams.Node(networks.map { (scalar($0.0), scalar($0.1)) })))
        }
        if configuration.keysDirectory != defaults.keysDirectory {
            pairs.append(("keys-directory", scalar(configuration.keysDirectory)))
        }
        if configuration.stateDirectory != defaults.stateDirectory {
            pairs.append(("state-directory", scalar(configuration.stateDirectory)))
        }
        let engine = Self.pairs(of: configuration.engine)
        if !engine.isEmpty { pairs.append(("afxdp", Yams.Node(engine))) }
        if let rtsp = configuration.rtsp { pairs.append(("rtsp", node(of: rtsp))) }
        if let sip = configuration.sip { pairs.append(("sip", sip.settings.yaml)) }
        let routes = configuration.routes.sorted { $0.name < $1.name }
        if !routes.isEmpty { pairs.append(("routes", Yams.Node(routes.map { (scalar($0.name), node(of: $0)) }))) }
        return header + emit(Yams.Node(pairs))
    }

    private static func pairs(of engine: EngineSettings) -> [(Yams.Node, Yams.Node)] {
        let defaults = EngineSettings()
        var pairs: [(Yams.Node, Yams.Node)] = []
        if let workers = engine.workers { pairs.append(("workers", plain("\(workers)"))) }
        if engine.frames != defaults.frames { pairs.append(("frames", plain("\(engine.frames)"))) }
        if engine.mode != defaults.mode { pairs.append(("mode", scalar(engine.mode.rawValue))) }
        if engine.polling != defaults.polling { pairs.append(("polling", scalar(engine.polling.rawValue))) }
        if engine.payloadSharing != defaults.payloadSharing {
            pairs.append(("payload-sharing", scalar(engine.payloadSharing.rawValue)))
        }
        return pairs
    }

    private static func node(of route: RouteSpecification) -> Yams.Node {
        var pairs: [(Yams.Node, Yams.Node)] = [
            ("from", scalar(route.source.description)),
            ("to", list(route.legs.map(\.description))),
        ]
        if route.payload != .rtp { pairs.append(("payload", scalar(route.payload.rawValue))) }
        if route.accounting != .full { pairs.append(("accounting", scalar(route.accounting.rawValue))) }
        if let clockRate = route.clockRate { pairs.append(("clock", plain("\(clockRate)"))) }
        if let wireRate = route.wireRate {
            pairs.append(("rate", scalar(BitRate(bitsPerSecond: wireRate).description)))
        }
        if route.engine != .auto { pairs.append(("engine", scalar(route.engine.rawValue))) }
        if route.delivery != .legs { pairs.append(("delivery", scalar(route.delivery.rawValue))) }
        if route.isForced { pairs.append(("force", plain("true"))) }
        return Yams.Node(pairs)
    }

    /// Words are plain where YAML takes them for words, else quoted; numbers and flags of the configuration itself stay plain.
    static func scalar(_ text: String) -> Yams.Node {
        Yams.Node(text).tag == Yams.Tag(.str) ? Yams.Node(text) : Yams.Node(text, Yams.Tag(.str), .doubleQuoted)
    }

    static func plain(_ text: String) -> Yams.Node { Yams.Node(text) }

    static func list(_ texts: [String]) -> Yams.Node {
        Yams.Node(texts.map(scalar), .implicit, texts.isEmpty ? .flow : .block)
    }

    /// The YAML of `node`. Emitting words and lists of words has no reason to fail.
    private static func emit(_ node: Yams.Node) -> String {
        do { return try Yams.serialize(node: node, width: -1, allowUnicode: true) } catch {
            preconditionFailure("cannot emit a configuration as YAML: \(error)")
        }
    }
}
