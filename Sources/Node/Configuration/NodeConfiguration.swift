// Complete configuration of a node by its configuration file.

public import AFXDP
public import Logging
public import RTSPProxy
public import Routing
public import SIPAgent

/// The configuration of one node, complete: settings that the file leaves out have their default here.
public struct NodeConfiguration: Hashable, Sendable {
    /// The place at which the control API listens.
    public struct Control: Hashable, Sendable {
        /// The path of the Unix domain socket (`control.socket`).
        public var socket: String
        /// The group whose members may use it (`control.group`), or nil for the daemon's own.
        public var group: String?

        public init(socket: String, group: String? = nil) {
            self.socket = socket
            self.group = group
        }
    }

    /// The limits of the node's load.
    public struct Limits: Hashable, Sendable, Codable {
        /// The largest number of flows (`limits.flows`).
        public var flows: Int
        /// The largest number of legs of all routes together (`limits.legs`).
        public var legs: Int

        public init(flows: Int = 8192, legs: Int = 32_768) {
            self.flows = flows
            self.legs = legs
        }
    }

    /// The node's name in statistics and metrics (`node`).
    public var node: String
    /// The interfaces that are attached at start, with or without routes (`ports`).
    public var ports: [String]
    /// The routes, by name (`routes`).
    public var routes: [RouteSpecification]
    /// The place at which the control API listens (`control`).
    public var control: Control
    /// The address at which the metrics are served on TCP (`metrics.listen`), or nil for nowhere (`off`).
    public var metrics: ListenAddress?
    /// The directory of what the daemon keeps while the host is up (`runtime-directory`).
    public var runtimeDirectory: String
    /// The directory in the BPF file system where the fast path is pinned (`bpffs`).
    public var bpffs: String
    /// The limits of the node's load (`limits`).
    public var limits: Limits
    /// The least urgent messages that are logged (`log-level`).
    public var logLevel: Logger.Level
    /// The networks of the host port (`host-port`).
    public var hostPort: HostPortSettings
    /// The directory of the keys that routes name (`keys-directory`).
    public var keysDirectory: String
    /// The directory of what must outlive the machine's run (`state-directory`).
    public var stateDirectory: String
    /// The settings of AF_XDP workers (`afxdp`).
    public var engine: EngineSettings
    /// The configuration of the RTSP proxy (`rtsp`); nil without the section: then none runs.
    public var rtsp: RTSPConfiguration?
    /// The configuration of the SIP agent (`sip`); nil without the section: then none runs.
    public var sip: SIPConfiguration?

    public static let defaultRuntimeDirectory = "/run/crosspoint"
    public static let defaultSocket = "/run/crosspoint/control.sock"
    public static let defaultBPFFS = "/sys/fs/bpf/crosspoint"
    public static let defaultPath = "/etc/crosspoint/crosspoint.yaml"

    /// The configuration of a node without a file: no routes, everything else by default.
    public init(
        node: String = HostName.current, ports: [String] = [], routes: [RouteSpecification] = [],
        control: Control = Control(socket: NodeConfiguration.defaultSocket),
        metrics: ListenAddress? = .defaultMetrics,
        runtimeDirectory: String = NodeConfiguration.defaultRuntimeDirectory,
        bpffs: String = NodeConfiguration.defaultBPFFS, limits: Limits = Limits(), logLevel: Logger.Level = .info,
        hostPort: HostPortSettings = HostPortSettings(), keysDirectory: String = KeyPaths.defaultKeys,
        stateDirectory: String = KeyPaths.defaultState, engine: EngineSettings = EngineSettings(),
        rtsp: RTSPConfiguration? = nil, sip: SIPConfiguration? = nil
    ) {
        self.node = node
        self.ports = ports
        self.routes = routes
        self.control = control
        self.metrics = metrics
        self.runtimeDirectory = runtimeDirectory
        self.bpffs = bpffs
        self.limits = limits
        self.logLevel = logLevel
        self.hostPort = hostPort
        self.keysDirectory = keysDirectory
        self.stateDirectory = stateDirectory
        self.engine = engine
        self.rtsp = rtsp
        self.sip = sip
    }

    /// The places of the keys of its routes.
    public var keyPaths: KeyPaths {
        KeyPaths(keys: keysDirectory, sessionKeys: "\(runtimeDirectory)/keys", state: stateDirectory)
    }

    /// True if it contains passwords, of upstreams.
    public var hasSecrets: Bool { rtsp?.routes.contains(where: \.hasPassword) ?? false }

    /// The configuration with `***` in place of its passwords.
    public var masked: NodeConfiguration {
        var copy = self
        copy.rtsp?.routes = rtsp?.routes.map(\.masked) ?? []
        return copy
    }
}
