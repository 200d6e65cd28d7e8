// Configuration of the proxy: the section `rtsp` of the configuration file.

public import AgentSupport
public import RTPWire

/// The complete configuration of `RTSPProxy`.
public struct RTSPConfiguration: Hashable, Sendable {
    /// A place that players, publishers and other nodes connect to.
    public struct Listener: Hashable, Sendable {
        /// The address to listen on; nil for every address, IPv4 and IPv6.
        public var address: IPAddress?
        public var tcpPort: UInt16
        /// True if it speaks TLS (`rtsps:`).
        public var usesTLS: Bool

        public init(address: IPAddress? = nil, tcpPort: UInt16, usesTLS: Bool = false) {
            self.address = address
            self.tcpPort = tcpPort
            self.usesTLS = usesTLS
        }
    }

    /// `listen`: 554 and 8554 by default, and 322 with TLS where there is a certificate.
    public var listeners: [Listener]
    /// `certificate`: for TLS listeners
    public var certificate: Certificate?
    /// `ca-file`: the authorities that upstream certificates are checked with, in PEM; nil for the system's.
    public var authorities: String?
    /// `routes`: what is served, in the order in which they are tried.
    public var routes: [RTSPRoute]
    /// `users-file`: the users, as `crosspoint user add` writes them; nil: nobody has to authenticate unless a route says so.
    public var usersFile: String?
    /// `realm`
    public var realm: String
    /// `udp-ports`: where the UDP ports of streams from cameras and publishers, and of the pair that players share, are taken from.
    public var udpPorts: ClosedRange<UInt16>
    /// `multicast`: the groups for players that ask for multicast; nil: none, and they get 461.
    public var multicast: MulticastPool?
    /// `session-timeout`: seconds without a sign of life after which a session ends (RFC 2326 section 12.37).
    public var sessionTimeout: Int
    /// `linger`: seconds that a source is kept after its last player left.
    public var linger: Int
    /// `max-connections`, in all and of one source: an IPv4 address, or the /64 of an IPv6 address.
    public var maximumConnections: Int
    public var maximumConnectionsPerAddress: Int
    /// `max-sessions`, in all and of one source.
    public var maximumSessions: Int
    public var maximumSessionsPerAddress: Int
    /// `max-players-per-address`: how many legs by UDP one source may have of one stream.
    public var maximumPlayersPerAddress: Int
    /// `max-paths`: paths in use that requests made of prefixes and expressions, in all, of one route and of one source. Each has a
    /// connection to an upstream.
    public var maximumPaths: Int
    public var maximumPathsPerRoute: Int
    public var maximumPathsPerAddress: Int
    /// `max-requests-per-second` of one source; what it asks beyond is served later.
    public var maximumRequestsPerSecond: Int
    /// `trusted-networks`: sources that the limits of one source do not bind, `10.4.0.2/32`: other nodes, gateways with many behind them.
    public var trustedNetworks: [IPNetwork]

    public init(
        listeners: [Listener] = [Listener(tcpPort: 554), Listener(tcpPort: 8554)], certificate: Certificate? = nil,
        authorities: String? = nil, routes: [RTSPRoute] = [], usersFile: String? = nil, realm: String = "crosspoint",
        udpPorts: ClosedRange<UInt16> = 20_000...29_999, multicast: MulticastPool? = nil, sessionTimeout: Int = 60,
        linger: Int = 10, maximumConnections: Int = 4096, maximumConnectionsPerAddress: Int = 256,
        maximumSessions: Int = 8192, maximumSessionsPerAddress: Int = 512, maximumPlayersPerAddress: Int = 32,
        maximumPaths: Int = 512, maximumPathsPerRoute: Int = 256, maximumPathsPerAddress: Int = 32,
        maximumRequestsPerSecond: Int = 500, trustedNetworks: [IPNetwork] = []
    ) {
        self.listeners = listeners
        self.certificate = certificate
        self.authorities = authorities
        self.routes = routes
        self.usersFile = usersFile
        self.realm = realm
        self.udpPorts = udpPorts
        self.multicast = multicast
        self.sessionTimeout = sessionTimeout
        self.linger = linger
        self.maximumConnections = maximumConnections
        self.maximumConnectionsPerAddress = maximumConnectionsPerAddress
        self.maximumSessions = maximumSessions
        self.maximumSessionsPerAddress = maximumSessionsPerAddress
        self.maximumPlayersPerAddress = maximumPlayersPerAddress
        self.maximumPaths = maximumPaths
        self.maximumPathsPerRoute = maximumPathsPerRoute
        self.maximumPathsPerAddress = maximumPathsPerAddress
        self.maximumRequestsPerSecond = maximumRequestsPerSecond
        self.trustedNetworks = trustedNetworks
    }

    /// A limit of the section: its key in the file, where it is kept, and what it may be.
    public struct Limit: Sendable {
        public let key: String
        public let path: any WritableKeyPath<RTSPConfiguration, Int> & Sendable
        public let range: ClosedRange<Int>
    }

    /// All limits, in the order of the file.
    public static let limits: [Limit] = [
        Limit(key: "max-connections", path: \.maximumConnections, range: 1...65_536),
        Limit(key: "max-connections-per-address", path: \.maximumConnectionsPerAddress, range: 1...65_536),
        Limit(key: "max-sessions", path: \.maximumSessions, range: 1...1_048_576),
        Limit(key: "max-sessions-per-address", path: \.maximumSessionsPerAddress, range: 1...1_048_576),
        Limit(key: "max-players-per-address", path: \.maximumPlayersPerAddress, range: 1...512),
        Limit(key: "max-paths", path: \.maximumPaths, range: 1...4096),
        Limit(key: "max-paths-per-route", path: \.maximumPathsPerRoute, range: 1...4096),
        Limit(key: "max-paths-per-address", path: \.maximumPathsPerAddress, range: 1...4096),
        Limit(key: "max-requests-per-second", path: \.maximumRequestsPerSecond, range: 1...1_000_000),
    ]
}
