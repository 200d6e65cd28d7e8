// An agent on loopback: real sockets towards peers, no fast path.

import AgentSupport
import Logging
import RTPWire
import Routing
import SIPCore
import Sessions
import TestSupport

@testable import SIPAgent

@AgentActor final class TestAgent {
    let agent: SIPAgent
    let routes: LoopbackRoutes
    let directory: TemporaryDirectory
    nonisolated let udpPort: UInt16
    let configuration: SIPConfiguration

    /// Timers fifty times as fast as those of RFC 3261.
    static let quick = TransactionTimes(
        t1: .milliseconds(40), t2: .milliseconds(320), t4: .milliseconds(200), d: .milliseconds(2560),
        c: .seconds(20), trying: .milliseconds(100))

    /// An agent that calls `targets` for everything.
    init(
        to targets: [UInt16], forking: DialRule.Forking = .sequence, ringTime: Int = 60,
        times: TransactionTimes = TestAgent.quick, directory: TemporaryDirectory? = nil, routes: LoopbackRoutes? = nil,
        listeners: [SIPConfiguration.Listener]? = nil, names: any TimedNameService = HostNameService(),
        change: (inout SIPConfiguration) -> Void = { _ in }
    ) async throws {
        let loopback = IPNetwork(containing: TestPeer.loopback, prefixLength: 8)!
        let media = IPNetwork(containing: IPAddress(10, 9, 0, 0), prefixLength: 16)!
        let hops = try targets.map { udpPort in
            DialTarget.nextHop(.init(uri: try SIPURI("sip:127.0.0.1:\(udpPort)")))
        }
        var configuration = SIPConfiguration(
            listeners: listeners ?? [.init(address: TestPeer.loopback, transport: .udp, transportPort: 0)],
            allowedNetworks: [loopback], mediaNetworks: [media],
            dialPlan: hops.isEmpty
                ? []
                : [
                    DialRule(name: "all", targets: hops, forking: forking, ringTime: ringTime)
                ],
            sessionTimer: nil)
        configuration.limits.requestsPerSecond = 0
        change(&configuration)
        self.configuration = configuration
        let directory = try directory ?? TemporaryDirectory()
        self.directory = directory
        self.routes = routes ?? LoopbackRoutes()
        agent = try SIPAgent(
            configuration, self.routes, directory.path,
            Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), times: times, names: names)
        try await agent.start()
        udpPort = agent.ports(.udp).first ?? 0
    }

    func stop() async { await agent.stop() }

    /// As if it were killed: nobody is told anything.
    func kill() async { await agent.fallSilent() }

    /// What the agent counts, by name and labels.
    func counter(_ name: String, _ labels: [String: String] = [:]) async -> Double {
        await agent.counters().first { $0.name == name && $0.labels == labels }?.value ?? 0
    }

    /// Waits until something holds; false after ten seconds.
    func eventually(_ condition: @AgentActor () async -> Bool) async throws -> Bool {
        for _ in 0..<1000 {
            if await condition() { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }
}
