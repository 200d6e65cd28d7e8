// A proxy on loopback: real sockets towards clients, no fast path and no camera.

import AgentSupport
import Authentication
import Logging
import RTPWire
import RTSPCore
import Routing

@testable import RTSPProxy

@AgentActor final class TestNode {
    let routing: MockRouting
    let context: ProxyContext
    let paths: PathTable
    let server: RTSPServer
    private let listener: RTSPListener

    nonisolated let tcpPort: UInt16

    init(
        routes: [RTSPRoute] = [RTSPRoute(name: "cam", match: .path("/cam"), source: .upstream("rtsp://10.1.0.7/main"))],
        users: [String: String] = [:], streams: Int = 2, sourceDelay: Duration = .zero, routing: MockRouting? = nil,
        runtimeDirectory: String? = nil,
        change: (inout RTSPConfiguration) -> Void = { _ in }
    ) async throws {
        var configuration = RTSPConfiguration(routes: routes, realm: "studio", linger: 0)
        change(&configuration)
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let routing = routing ?? MockRouting()
        self.routing = routing
        context = ProxyContext(configuration: configuration, routing: routing, logger: logger)
        let made = Made()
        paths = PathTable(context: context) { path, _ throws(MediaSourceError) in
            let source = MockSource(path: path.routeName, routing: routing, streams: streams)
            source.delay = sourceDelay
            made.sources[path.path] = source
            return source
        }
        for route in routes { try paths.add(route, isConfigured: true) }
        var database = UserDatabase()
        for (user, password) in users { try database.set(user: user, realm: "studio", password: password) }
        let journal = try runtimeDirectory.map { directory throws(RoutingError) in
            try ProxyJournal(runtimeDirectory: directory, logger: logger)
        }
        server = RTSPServer(
            context: context, paths: paths,
            authentication: RequestAuthentication(realm: "studio", users: database), journal: journal)
        if let journal { await Adoption(context: context, journal: journal).run(server: server, paths: paths) }
        listener = try await RTSPListener(.init(address: IPAddress(127, 0, 0, 1), tcpPort: 0), server: server)
        tcpPort = listener.tcpPort
        self.made = made
    }

    private let made: Made
    @AgentActor private final class Made { var sources: [String: MockSource] = [:] }

    /// The source of a path, once somebody asked for it.
    func source(_ path: String = "/cam") -> MockSource? { made.sources[path] }

    /// The time, for `tick`, `seconds` from now.
    static func time(in seconds: UInt64) -> UInt64 { MonotonicClock.now + seconds * 1_000_000_000 }

    /// Ends as a daemon does that another one follows.
    func suspend() async {
        await listener.close()
        await server.suspend()
    }

    func stop() async {
        await listener.close()
        await server.stop()
    }
}
