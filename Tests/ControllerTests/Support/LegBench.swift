// Two flows under load, one with a leg set on all ports and one with a single leg, for tests of what a new process or version does.

import FastPath
import LoadGenerator
import TestSupport
import Testing

/// The bench and what must arrive at its sinks.
enum LegBench {
    /// The legs of flow 0: all egress ports, and one back out of the ingress port.
    static let legs: [TestLeg] = (1...8).map { .init(number: $0, egress: $0 % 3) } + [.init(number: 9, egress: nil)]
    /// The leg of flow 1.
    static let single = TestLeg(number: 400, egress: 1, flow: 1)
    static let all = legs + [single]

    static func make() async throws -> LoadBench {
        let bench = try await LoadBench(egressPorts: 3)
        try bench.plan(flows: 2)
        let flows = try (0..<2).map { try bench.installFlow($0) }
        try await bench.network.node.perform {
            try bench.fastPath.setLegs(legs.map { try $0.install(bench, of: flows[0]) }, of: flows[0])
            try bench.fastPath.setLegs([try single.install(bench, of: flows[1])], of: flows[1])
        }
        return bench
    }

    /// Expects that every copy arrived, and every counter of flows and legs has it.
    ///
    /// - Returns: the packets that were sent.
    @discardableResult static func expectCopies(_ bench: LoadBench) throws -> UInt64 {
        let sums = try Sums.expectAgreement(bench)
        #expect(sums.skipped == 0 && sums.refused == 0, "\(sums.text)")
        let sent = try bench.generator.sent
        try bench.expectComplete(all, packets: sent / 2)
        for flow in try bench.snapshot().flows { #expect(flow.packets == sent / 2) }
        return sent
    }

    /// Expects in addition that the RTP accounting has every packet, without loss, disorder or restart.
    static func expectNothingLost(_ bench: LoadBench) throws {
        let sent = try expectCopies(bench)
        for flow in try bench.snapshot().flows {
            #expect(flow.rtp?.lostPackets == 0 && flow.rtp?.reorderedPackets == 0)
            #expect(flow.rtp?.receivedPackets == sent / 2)
            #expect(flow.rtp?.lossEvents == 0 && flow.rtp?.sequenceResets == 0)
        }
    }
}
