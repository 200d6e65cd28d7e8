// State that every part of the proxy shares.

import AgentSupport
import Logging
import Routing

/// Configuration, the owner of the fast path, UDP ports and counters of one proxy.
@AgentActor
final class ProxyContext {
    let configuration: RTSPConfiguration
    /// The one writer of the fast path.
    let routing: any SessionRouteControl
    let logger: Logger
    let resolver = HostResolver()
    /// Whom upstreams' certificates are checked with.
    let authorities: Authorities
    /// Pairs of UDP ports for streams that come in.
    let udpPorts: UDPPortAllocator
    /// The pairs of UDP ports that players share, one for each of the node's addresses.
    let playerPorts: PlayerPorts
    /// Groups for players that want multicast.
    let groups: GroupAllocator
    let counters: ProxyCounters
    let openingDelay = OpeningDelay()
    /// The shares that each source of requests holds.
    let shares: SourceShares
    /// First packets and unknown sources of the proxy's routes.
    let routeEvents: RouteEvents
    private var cachedHostPort: HostPort?
    private var directWays: [String: WeakDirectWay] = [:]

    private struct WeakDirectWay { weak var way: DirectWay? }

    /// The short way that the source and the players of an RTP route share, as long as either has it.
    func directWay(of route: String) -> DirectWay {
        if let way = directWays[route]?.way { return way }
        let way = DirectWay()
        directWays = directWays.filter { $0.value.way != nil }
        directWays[route] = WeakDirectWay(way: way)
        return way
    }

    init(configuration: RTSPConfiguration, routing: any SessionRouteControl, logger: Logger) {
        self.configuration = configuration
        self.routing = routing
        self.logger = logger
        authorities = Authorities(file: configuration.authorities)
        udpPorts = UDPPortAllocator(range: configuration.udpPorts)
        playerPorts = PlayerPorts(routing: routing, ports: udpPorts, logger: logger)
        groups = GroupAllocator(pool: configuration.multicast)
        counters = ProxyCounters()
        shares = SourceShares(configuration)
        routeEvents = RouteEvents(routing: routing)
    }

    /// The host port's addresses: asked for once, since they do not change while the daemon runs.
    func hostPort() async throws(RoutingError) -> HostPort {
        if let cachedHostPort { return cachedHostPort }
        let port = try await routing.hostPort()
        cachedHostPort = port
        return port
    }
}
