// An AF_XDP engine on a load bench: a flow with legs, sent by whichever engine the test says.

import AFXDP
import CrosspointShim
import FastPath
import LoadGenerator
import TestSupport
import Testing

/// A bench whose generator's flow 0 has legs, and an engine at all its ports. Used by one thread at a time.
final class EngineRig: @unchecked Sendable {
    let bench: LoadBench
    let engine: PacketEngine
    let flow: FlowHandle
    let legs: [TestLeg]

    /// Packets at once: what the rings of a worker hold, whatever the machine is doing.
    static let burst = 512

    private let cables: TestNetwork.Cables

    init(
        egressPorts: Int, legs: [TestLeg], settings: EngineSettings = EngineSettings(),
        cables: TestNetwork.Cables = .veth
    ) async throws {
        self.cables = cables
        let bench = try await LoadBench(egressPorts: egressPorts, cables: cables)
        try bench.plan(flows: 1)
        let flow = try bench.installFlow(0)
        let records = try legs.map { try $0.install(bench, of: flow) }
        engine = try PacketEngine(fastPath: bench.fastPath, settings: settings)
        self.bench = bench
        self.flow = flow
        self.legs = legs
        try await bench.network.node.perform { [self] in
            try bench.fastPath.setLegs(records, of: flow)
            try engine.set(ports())
        }
    }

    deinit { engine.stop() }

    func ports() throws -> [EnginePort] {
        try ([bench.network.ingress] + bench.network.egress).map { interface in
            EnginePort(
                number: try #require(try bench.fastPath.port(named: interface.name)).number, name: interface.name,
                interfaceIndex: interface.index, queues: cables.queues, mtu: 1500, receives: interface.name == "in0",
                hasZeroCopy: cables.haveZeroCopy,
                sendsWhenPolled: cables == .veth)
        }
    }

    /// From the next packet on.
    func use(_ engine: FlowParameters.Engine) throws {
        try bench.fastPath.setParameters(
            FlowParameters(clockRate: 90_000, packetRate: 260_000, reportsFirstPacket: false, engine: engine), of: flow)
    }

    func statistics() throws -> FlowStatistics { try #require(try bench.snapshot().flows.first) }

    func sockets() throws -> [SocketStatistics] { try bench.snapshot().ports.flatMap(\.sockets) }

    /// Waits until every leg has sent as many copies as packets were sent.
    func waitUntilSent(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let sent = try bench.generator.sent
        try await eventually(seconds: 20, sourceLocation: sourceLocation) { [self] in
            let arrived = try legs.map { try bench.generator.result(at: $0.number).good }
            return arrived.allSatisfy { $0 == sent } ? nil : "sent \(sent), arrived \(arrived), \(try statistics())"
        }
    }

    /// Expects that every leg has each packet once, with its own headers.
    func expectComplete(inOrder: Bool, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let sent = try bench.generator.sent
        for leg in legs {
            let result = try bench.generator.result(at: leg.number)
            #expect(result.good == sent && result.bad == 0, "leg \(leg): \(result)", sourceLocation: sourceLocation)
            if inOrder {
                #expect(
                    result.outOfOrder == 0 && result.missing == 0, "leg \(leg): \(result)",
                    sourceLocation: sourceLocation)
            }
        }
        #expect(try bench.generator.strays == 0, sourceLocation: sourceLocation)
        let flow = try statistics()
        #expect(flow.packets == sent && flow.rtp?.lostPackets == 0, sourceLocation: sourceLocation)
        #expect(flow.legs.allSatisfy { $0.packets == sent && $0.refusedPackets == 0 }, sourceLocation: sourceLocation)
    }
}
