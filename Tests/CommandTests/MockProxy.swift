// A proxy without sockets, for tests of what stands before it.

import RTSPProxy
import Sessions

actor MockProxy: SessionControl, RTSPRouteControl {
    private var reports: [SessionReport]
    private var routes: [RTSPRouteReport]

    /// Whether anybody may connect.
    private(set) var isListening = false
    private let listening = ListeningMark()

    init(configured: [RTSPRoute] = [], sessions: [SessionReport] = [], listens: Bool = true) {
        routes = configured.map { RTSPRouteReport(route: $0, isConfigured: true, state: "idle") }
        reports = sessions
        isListening = listens
        if listens { listening.set() }
    }

    func listen() {
        isListening = true
        listening.set()
    }

    nonisolated func whenListening() async { await listening.wait() }

    /// A player on UDP, whose leg is the first of `cam1`, and the upstream that feeds it.
    static let sample: [SessionReport] = [
        SessionReport(
            name: "player-1", kind: .rtspPlayer, state: "playing", target: "/cam1", peer: "10.2.0.5:40000",
            user: "alice", agent: "Player/1.0\nX: y", startedAt: "2026-11-21T02:16:18.123Z", expiresIn: 42.5,
            streams: [
                SessionReport.Stream(
                    index: 0, media: "video", transport: "udp", address: "10.2.0.5:5004", route: "cam1", leg: 1,
                    rtcpRoute: "cam1-rtcp", rtcpLeg: 7, engine: "kernel", engineReason: "every UDP player is a leg",
                    droppedPackets: 3)
            ], notes: ["answered 461 to multicast: no pool is configured"]),
        SessionReport(
            name: "upstream-1", kind: .rtspUpstream, state: "playing", target: "/cam1", peer: "10.1.0.7:554",
            startedAt: "2026-11-21T02:16:18.000Z",
            streams: [
                SessionReport.Stream(
                    index: 0, media: "video", transport: "interleaved", address: "channel 0", route: "cam1",
                    rtcpRoute: "cam1-rtcp", engine: "kernel", engineReason: "injected at the host port")
            ]),
    ]

    func sessions() -> [SessionReport] { reports }

    func session(_ name: String) -> SessionReport? { reports.first { $0.name == name } }

    func close(session name: String) -> Bool {
        let count = reports.count
        reports.removeAll { $0.name == name }
        return reports.count < count
    }

    func counters() -> [SessionCounter] {
        [
            SessionCounter(
                name: "rtsp_requests_total", help: "Requests answered.",
                labels: ["status": "200", "method": "SETUP"], value: 12),
            SessionCounter(name: "rtsp_connections", help: "Connections now.", value: 2),
        ]
    }

    func rtspRoutes() -> [RTSPRouteReport] { routes }

    func add(rtspRoute: RTSPRoute) throws(RTSPRouteError) -> RTSPRouteReport {
        guard !routes.contains(where: { $0.route.name == rtspRoute.name }) else {
            throw RTSPRouteError(.conflict, "RTSP route '\(rtspRoute.name)' is there; choose another name")
        }
        let report = RTSPRouteReport(route: rtspRoute, isConfigured: false, state: "idle")
        routes.append(report)
        return report
    }

    func remove(rtspRoute name: String) throws(RTSPRouteError) {
        guard routes.contains(where: { $0.route.name == name }) else {
            throw RTSPRouteError(
                .notFound, "there is no RTSP route '\(name)'; 'crosspoint rtsp route list' lists the routes")
        }
        routes.removeAll { $0.route.name == name }
    }

    func reconcile(rtspRoutes wanted: [RTSPRoute]) {
        let added = routes.filter { !$0.isConfigured }
        let taken = Set(added.map(\.route.name))
        routes =
            wanted.filter { !taken.contains($0.name) }
            .map { RTSPRouteReport(route: $0, isConfigured: true, state: "idle") } + added
    }
}
