// The RTSP proxy of a node, as the daemon runs it.

public import AgentSupport
import Authentication
public import Logging
import NIOCore
import NIOSSL
import RTSPCore
public import Routing
public import ServiceLifecycle
public import Sessions

/// Listens for players and publishers, pulls from upstreams, and has the fast path carry the media.
///
/// Stopping it stops the negotiation only: sessions on UDP stay in the fast path and in the journal, and the next daemon goes
/// on with them.
@AgentActor
public final class RTSPProxy: Service, SessionControl, RTSPRouteControl {
    private let context: ProxyContext
    private let server: RTSPServer
    private let paths: PathTable
    private let journal: ProxyJournal
    private let adoption: Adoption
    private let listening = ListeningMark()

    /// - Parameters:
    ///   - routing: The owner of the fast path, which has taken over what it found.
    ///   - runtimeDirectory: Where the journal lies.
    /// - Throws: What is wrong with the configuration on this host, in one line.
    public nonisolated convenience init(
        configuration: RTSPConfiguration, routing: any SessionRouteControl, runtimeDirectory: String, logger: Logger
    ) async throws {
        try await self.init(configuration, routing, runtimeDirectory, logger)
    }

    private init(
        _ configuration: RTSPConfiguration, _ routing: any SessionRouteControl, _ runtimeDirectory: String,
        _ logger: Logger
    ) throws {
        let context = ProxyContext(configuration: configuration, routing: routing, logger: logger)
        let journal = try ProxyJournal(runtimeDirectory: runtimeDirectory, logger: logger)
        let adoption = Adoption(context: context, journal: journal)
        let paths = PathTable(context: context) { (path, upstream) throws(MediaSourceError) in
            guard let url = RTSPURL(upstream) else {
                throw MediaSourceError(.notFound, "rtsp route \(path.route.name): its upstream is no RTSP URL")
            }
            let source = UpstreamSource(
                context: context, routeName: path.routeName, url: url, transport: path.route.transport,
                fingerprint: path.route.fingerprint.flatMap { CertificateFingerprint($0) })
            if let record = adoption.upstream(of: path) { source.resume(from: record) }
            source.onRecord = { record in
                guard let record else { return journal.remove(path: path.routeName) }
                journal.write(PathRecord(path: path.path, routeName: path.routeName, upstream: record))
            }
            return source
        }
        self.context = context
        self.journal = journal
        self.adoption = adoption
        self.paths = paths
        server = RTSPServer(
            context: context, paths: paths,
            authentication: RequestAuthentication(
                realm: configuration.realm, users: try Self.users(of: configuration)), journal: journal)
        for route in configuration.routes { try paths.add(route, isConfigured: true) }
    }

    private static func users(of configuration: RTSPConfiguration) throws -> UserDatabase {
        guard let file = configuration.usersFile else { return UserDatabase() }
        return try UserFile.load(file)
    }

    // MARK: Service

    /// Goes on with what an earlier daemon left, listens, and returns after a graceful shutdown.
    public func run() async throws {
        await adoption.run(server: server, paths: paths)
        let tls = try context.configuration.certificate.map { certificate throws(ListenerError) in
            try certificate.listenerContext(of: "rtsp")
        }
        var listeners: [RTSPListener] = []
        for listener in context.configuration.listeners {
            listeners.append(try await RTSPListener(listener, server: server, tls: tls))
        }
        server.start()
        listening.set()
        paths.openAlways()
        try? await gracefulShutdown()
        for listener in listeners { await listener.close() }
        await server.suspend()
    }

    // MARK: SessionControl

    public nonisolated func whenListening() async { await listening.wait() }

    public func sessions() async -> [SessionReport] {
        (server.reports() + paths.upstreamReports()).sorted { $0.name < $1.name }
    }

    public func session(_ name: String) async -> SessionReport? { await sessions().first { $0.name == name } }

    public func close(session name: String) async -> Bool {
        if await server.close(session: name) { return true }
        return await paths.close(upstream: name)
    }

    public func counters() async -> [SessionCounter] { context.counters.report() }

    // MARK: RTSPRouteControl

    public func rtspRoutes() async -> [RTSPRouteReport] { paths.routes.map(report) }

    private func report(_ entry: (route: RTSPRoute, isConfigured: Bool)) -> RTSPRouteReport {
        let active = paths.paths(of: entry.route.name)
        // Of several paths of a prefix or an expression, the one that matters most speaks for all.
        let order = ["live", "waiting", "connecting", "idle"]
        let reports = active.map(\.report)
        let chosen = order.lazy.compactMap { state in reports.first { $0.state == state } }.first
        return RTSPRouteReport(
            route: entry.route, isConfigured: entry.isConfigured, state: chosen?.state ?? "idle",
            detail: chosen?.detail, players: active.reduce(0) { $0 + $1.users })
    }

    public func add(rtspRoute route: RTSPRoute) async throws(RTSPRouteError) -> RTSPRouteReport {
        try paths.add(route, isConfigured: false)
        paths.openAlways()
        return report((route, false))
    }

    public func remove(rtspRoute name: String) async throws(RTSPRouteError) { try await paths.remove(name) }

    public func reconcile(rtspRoutes routes: [RTSPRoute]) async {
        await paths.reconcile(routes)
        paths.openAlways()
        do {
            server.authentication.users = try Self.users(of: context.configuration)
        } catch {
            context.logger.error("rtsp users: the earlier ones stay: \(error)")
        }
    }
}
