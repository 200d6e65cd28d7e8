// The daemon: the control API, metrics, signals and reload around whatever carries the routes.

public import Events
import FoundationEssentials
import Hummingbird
public import Logging
import NIOCore
import RTPWire
public import RTSPProxy
public import Routing
public import SIPAgent
public import ServiceLifecycle
public import Sessions
import Timing
import UnixSignals

/// Runs a node until it is asked to stop.
///
/// Stopping it stops the daemon only: flows in the fast path stay there and continue to be forwarded.
public struct NodeService: Service {
    private let configuration: NodeConfiguration
    private let socket: ControlSocket
    private let control: any RouteControl
    private let statistics: any StatisticsSource
    private let information: any NodeInformationSource
    private let keeper: ConfigurationKeeper
    private let sessions: [any SessionControl]
    private let rtspRoutes: (any RTSPRouteControl)?
    private let sip: (any SIPControl)?
    private let events: EventLog
    private let book = StateBook()
    private let scanner: (any PortScanning)?
    private let services: [any Service]
    private let handlesSignals: Bool
    private let logger: Logger
    private let onReady: @Sendable (_ metricsTCPPort: Int?) async -> Void

    /// - Parameters:
    ///   - configuration: The configuration, already read and checked.
    ///   - configurationFile: The file that it came from, read again on a reload; nil for none.
    ///   - problem: The problem of that file where the node starts with what it said before.
    ///   - socket: The control socket, claimed before the fast path was touched.
    ///   - control: The owner of the routes.
    ///   - statistics: The reader of the counters.
    ///   - information: What knows the ports.
    ///   - sessions: What negotiates sessions.
    ///   - rtspRoutes: The routes of the RTSP proxy, nil where none runs.
    ///   - sip: The SIP agent, nil where none runs.
    ///   - events: The events of the node.
    ///   - scanner: What looks at ports, nil where nothing does.
    ///   - services: What else runs as long as the daemon does, such as the watcher of links and neighbours.
    ///   - handlesSignals: Whether SIGTERM and SIGINT stop the node, and SIGHUP reloads its configuration.
    ///   - logger: Where the daemon logs.
    ///   - onReady: Called once routes are in place and every listener listens, with the TCP port of the metrics.
    public init(
        configuration: NodeConfiguration, configurationFile: String?, problem: String? = nil, socket: ControlSocket,
        control: any RouteControl, statistics: any StatisticsSource, information: any NodeInformationSource,
        sessions: [any SessionControl] = [], rtspRoutes: (any RTSPRouteControl)? = nil, sip: (any SIPControl)? = nil,
        events: EventLog = EventLog(), scanner: (any PortScanning)? = nil, services: [any Service] = [],
        handlesSignals: Bool = true, logger: Logger,
        onReady: @escaping @Sendable (_ metricsTCPPort: Int?) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.socket = socket
        self.control = control
        self.statistics = statistics
        self.information = information
        self.sessions = sessions
        self.rtspRoutes = rtspRoutes
        self.sip = sip
        self.events = events
        self.scanner = scanner
        self.services = services
        self.handlesSignals = handlesSignals
        self.logger = logger
        self.onReady = onReady
        keeper = ConfigurationKeeper(
            configuration: configuration, path: configurationFile, problem: problem, control: control,
            rtspRoutes: rtspRoutes, sip: sip,
            events: events, logger: logger)
    }

    /// Applies the configured routes, listens, notifies systemd, and returns after a graceful shutdown.
    public func run() async throws {
        let notifier = SystemdNotifier(environment: ProcessInfo.processInfo.environment)
        _ = await keeper.apply()
        let readiness = Readiness(listeners: (configuration.metrics == nil ? 1 : 2) + sessions.count) {
            [logger, events, keeper, onReady] tcpPort in
            notifier?.ready()
            notifier?.status(await keeper.status)
            logger.info("ready")
            events.record(.notice, .nodeStarted, "", "the daemon is ready, version \(Version.current)")
            await onReady(tcpPort)
        }
        var members = services
        members.append(
            StateService(
                statistics: statistics, control: control, book: book, events: events,
                heartbeat: Heartbeat(besideSocket: configuration.control.socket), logger: logger))
        members.append(controlListener(readiness))
        if let address = configuration.metrics { members.append(metricsListener(address, readiness)) }
        members += sessions.map { AgentReadiness(agent: $0, readiness: readiness) }
        members.append(WatchdogService(notifier: notifier, control: control))
        if handlesSignals { members.append(ReloadService(keeper: keeper, notifier: notifier, logger: logger)) }
        // The last one stops first: streams that are followed would keep the listeners.
        members.append(EventService(events: events))
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: members, gracefulShutdownSignals: handlesSignals ? [.sigterm, .sigint] : [],
                logger: logger))
        defer {
            notifier?.stopping()
            socket.remove()
        }
        try await group.run()
    }

    private func responder(readOnly: Bool) -> RouterResponder<ControlContext> {
        ControlRouter(
            control: control, statistics: statistics, information: information, keeper: keeper,
            sessions: sessions, rtspRoutes: rtspRoutes, sip: sip, events: events, book: book, scanner: scanner,
            startedAt: RFC3339.text(unixNanoseconds: SystemClock.unixNanoseconds)
        ).makeRouter(readOnly: readOnly).buildResponder()
    }

    private func controlListener(_ readiness: Readiness) -> ListenerService {
        ListenerService(
            name: "control.socket \(socket.path)", address: .unixDomainSocket(path: socket.path),
            responder: responder(readOnly: false), logger: quiet
        ) { [socket] _ in
            try socket.secure()
            await readiness.listens(tcpPort: nil)
        }
    }

    private func metricsListener(_ address: ListenAddress, _ readiness: Readiness) -> ListenerService {
        ListenerService(
            name: "metrics.listen \(address)",
            address: .hostname(address.address.description, port: Int(address.tcpPort)),
            responder: responder(readOnly: true), logger: quiet
        ) { channel in await readiness.listens(tcpPort: channel.localAddress?.port) }
    }

    /// The listeners' own logger: their notes on every start and request are not worth an operator's line.
    private var quiet: Logger {
        var quiet = logger
        if logger.logLevel > .debug { quiet.logLevel = max(logger.logLevel, .notice) }
        return quiet
    }
}
