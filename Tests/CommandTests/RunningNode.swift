// A whole node over mocks, on a socket of its own, for as long as a test lasts.

@testable import CrosspointCommands
import Events
import FastPath
import Foundation
import Logging
import Node
import Routing
import ServiceLifecycle
import Sessions

struct RunningNode {
    struct Statistics: StatisticsSource {
        func snapshot() -> StatisticsSnapshot {
            StatisticsSnapshot(
                node: "test", unixNanoseconds: 1_795_227_378_123_000_000, monotonicNanoseconds: 1,
                programVersion: "1a2b3c",
                ports: [], flows: [])
        }
    }

    struct Information: NodeInformationSource {
        func ports() -> [PortReport] {
            [PortReport(name: "eth0", driver: "ice", isUp: true, mtu: 9000, queues: 8, speed: 100_000_000_000)]
        }
    }

    let control: MockRouteControl
    let events: EventLog
    let directory: URL
    let socket: String
    let metricsTCPPort: Int

    var client: ControlClient { ControlClient(socket: socket) }

    /// The path of the node's configuration file.
    var configurationFile: String { directory.appending(path: "x.yaml").path }

    /// Runs a node, then `body`, then stops the node. The text is that of its configuration file, to which the socket is added.
    static func run(
        configuration text: String = "", proxy: MockProxy? = nil, agent: MockAgent? = nil,
        _ body: @escaping @Sendable (RunningNode) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "xp-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let base = "runtime-directory: \(directory.path)\nmetrics: {listen: '127.0.0.1:0'}\nlog-level: critical\n"
        let file = directory.appending(path: "x.yaml").path
        try Data((base + text).utf8).write(to: URL(filePath: file))
        let configuration = try ConfigurationFile.load(file)
        let control = MockRouteControl()
        let events = EventLog()
        let (ready, continuation) = AsyncStream.makeStream(of: Int?.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var sessions: [any SessionControl] = []
        if let proxy { sessions.append(proxy) }
        if let agent { sessions.append(agent) }
        let service = NodeService(
            configuration: configuration, configurationFile: file,
            socket: try ControlSocket(path: configuration.control.socket, group: nil), control: control,
            statistics: Statistics(), information: Information(), sessions: sessions,
            rtspRoutes: proxy, sip: agent, events: events,
            handlesSignals: false, logger: logger
        ) { tcpPort in
            continuation.yield(tcpPort)
            continuation.finish()
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { continuation.finish() }; try await group.run()
            }
            for await tcpPort in ready {
                let node = RunningNode(
                    control: control, events: events, directory: directory, socket: configuration.control.socket,
                    metricsTCPPort: tcpPort ?? 0)
                do { try await body(node) } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}
