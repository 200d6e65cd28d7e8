// A proxy on loopback: real sockets towards clients, no fast path and no camera.

import AgentSupport
import Authentication
import Logging
import RTPWire
import RTSPCore

@testable import RTSPProxy

@AgentActor final class TestNode {
    let routing = MockRouting()
    let context: ProxyContext
    let paths: PathTable
    let server: RTSPServer
    private let listener: RTSPListener

    nonisolated let tcpPort: UInt16

    init(
        routes: [RTSPRoute] = [RTSPRoute(name: "cam", match: .path("/cam"), source: .upstream("rtsp://10.1.0.7/main"))],
        users: [String: String] = [:], streams: Int = 2, change: (inout RTSPConfiguration) -> Void = { _ in }
    ) async throws {
        var configuration = RTSPConfiguration(routes: routes, realm: "studio", linger: 0)
        change(&configuration)
        context = ProxyContext(
            configuration: configuration, routing: routing,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let made = Made()
        let routing = routing
        paths = PathTable(context: context) { path, _ throws(MediaSourceError) in
            let source = MockSource(path: path.routeName, routing: routing, streams: streams)
            made.sources[path.path] = source
            return source
        }
        for route in routes { try paths.add(route, isConfigured: true) }
        var database = UserDatabase()
        for (user, password) in users { try database.set(user: user, realm: "studio", password: password) }
        server = RTSPServer(
            context: context, paths: paths,
            authentication: RequestAuthentication(realm: "studio", users: database))
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

    func stop() async {
        await listener.close()
        await server.stop()
    }
}
