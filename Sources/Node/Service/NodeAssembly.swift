// Parts of a daemon, before it serves anybody.

public import Events
public import RTSPProxy
public import Routing
public import SIPAgent
public import ServiceLifecycle
public import Sessions

/// The parts that `NodeService` serves: who owns the routes, who reads the counters, who knows the ports.
public struct NodeAssembly: Sendable {
    /// The owner of the routes.
    public var control: any RouteControl
    /// The reader of the counters.
    public var statistics: any StatisticsSource
    /// The source of information on the ports.
    public var information: any NodeInformationSource
    /// The agents that negotiate sessions; empty where nothing does.
    public var sessions: [any SessionControl]
    /// The routes of the RTSP proxy; nil where none runs.
    public var rtspRoutes: (any RTSPRouteControl)?
    /// The SIP agent; nil where none runs.
    public var sip: (any SIPControl)?
    /// The events of the node.
    public var events: EventLog
    /// The scanner of ports; nil where there is none.
    public var scanner: (any PortScanning)?
    /// The services that run as long as the daemon does.
    public var services: [any Service]

    public init(
        control: any RouteControl, statistics: any StatisticsSource, information: any NodeInformationSource,
        sessions: [any SessionControl] = [], rtspRoutes: (any RTSPRouteControl)? = nil, sip: (any SIPControl)? = nil,
        events: EventLog = EventLog(), scanner: (any PortScanning)? = nil, services: [any Service] = []
    ) {
        self.control = control
        self.statistics = statistics
        self.information = information
        self.sessions = sessions
        self.rtspRoutes = rtspRoutes
        self.sip = sip
        self.events = events
        self.scanner = scanner
        self.services = services
    }
}
