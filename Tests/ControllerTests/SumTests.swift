// The sums of packets and copies under loads that the drivers cannot carry, and under every way of not sending.

import FastPath
import LoadGenerator
import TestSupport
import Testing

extension NodeFastPathTests {
    @Suite struct SumsAgree {
        /// Sets up one flow with the legs, and sends.
        private func load(_ legs: [TestLeg], egressPorts: Int, packets: Int, batch: Int) async throws -> LoadBench {
            let bench = try await LoadBench(egressPorts: egressPorts)
            try bench.plan(flows: 1)
            let flow = try bench.installFlow(0)
            try await bench.network.node.perform {
                try bench.fastPath.setLegs(legs.map { try $0.install(bench, of: flow) }, of: flow)
            }
            try await bench.send(packets, batch: batch)
            return bench
        }

        @Test func withinTheRingsNothingIsLost() async throws {
            let legs = (1...9).map { TestLeg(number: $0, egress: $0 % 3) }
            let bench = try await load(legs, egressPorts: 3, packets: 400_000, batch: 16)
            let sums = try Sums.expectAgreement(bench)
            #expect(sums.refused == 0 && sums.skipped == 0)
            try bench.expectComplete(legs, packets: 400_000)
        }

        @Test func anOverflowingRingIsSeenAsRefusedCopies() async throws {
            // 48 packets of a poll times 8 legs are 384 frames for a ring of 256.
            let legs = (1...8).map { TestLeg(number: $0, egress: 0) }
            let bench = try await load(legs, egressPorts: 1, packets: 200_000, batch: 48)
            let sums = try Sums.expectAgreement(bench)
            #expect(sums.refused > 10_000, "\(sums.text)")
            #expect(sums.skipped == 0)
            try bench.expectNoForeignHeader(legs)
            let driver = try bench.driverRefusals(of: "out0")
            #expect(driver == sums.refused, "ethtool and the tracepoint agree")
        }

        @Test func aSingleLegThatTheDriverRefusesIsCounted() async throws {
            let leg = TestLeg(number: 1, egress: 0)
            let bench = try await LoadBench(egressPorts: 1)
            try bench.plan(flows: 1)
            let flow = try bench.installFlow(0)
            try bench.fastPath.setLegs([try leg.install(bench, of: flow)], of: flow)
            try await bench.send(10_000)
            try bench.network.node.run(["ip", "link", "set", "out0", "down"])
            try await bench.send(10_000)
            try bench.network.node.run(["ip", "link", "set", "out0", "up", "mtu", "1000"])
            try await bench.send(10_000)
            try bench.network.node.run(["ip", "link", "set", "out0", "mtu", "1500"])
            try bench.network.far.run(["ip", "link", "set", "sink0", "down"])
            try await bench.send(10_000)
            let sums = try Sums.expectAgreement(bench, farEndsFell: 1)
            #expect(sums.refused == 30_000 && sums.skipped == 0, "\(sums.text)")
            let port = try #require(try bench.snapshot().ports.first { $0.name == "out0" })
            #expect(port.undelivered["copy_interface_down"] == 10_000)
            #expect(port.undelivered["copy_too_long"] == 10_000)
            #expect(try bench.generator.result(at: 1).good == 10_000)
        }

        @Test func copiesHeldBackByAGateAreNotTakenForRefusedOnes() async throws {
            let bench = try await LoadBench(egressPorts: 1)
            try bench.plan(flows: 2)
            let flows = try (0..<2).map { try bench.installFlow($0) }
            let legs = [TestLeg(number: 1, egress: 0), TestLeg(number: 2, egress: 0, flow: 1)]
            // Flow 0's only leg begins when the sequence numbers get there; flow 1 overflows nothing.
            var gated = try legs[0].install(bench, of: flows[0])
            gated.gate = LegParameters.Gate(sequence: 5000, deadline: .max)
            try bench.fastPath.setLegs([gated], of: flows[0])
            try bench.fastPath.setLegs([try legs[1].install(bench, of: flows[1])], of: flows[1])
            try await bench.send(16_000)
            try bench.network.far.run(["ip", "link", "set", "sink0", "down"])
            try await bench.send(1000)
            let sums = try Sums.expectAgreement(bench, farEndsFell: 1)
            let port = try #require(try bench.snapshot().ports.first { $0.name == "out0" })
            let held = try #require(port.undelivered["copy_gated"])
            #expect(held > 0 && sums.refused == 1000 && sums.skipped == 0, "\(sums.text), held back \(held)")
            #expect(try bench.generator.result(at: 1).good + held == 8000)
            #expect(try bench.generator.result(at: 2).good == 8000)
        }

        @Test func packetsWithoutALegAreDropsByReason() async throws {
            let bench = try await load([], egressPorts: 1, packets: 50_000, batch: 16)
            try Sums.expectAgreement(bench)
            let port = try #require(try bench.snapshot().ports.first { $0.name == "in0" })
            #expect(port.dropped["drop_no_leg"] == 50_000)
        }
    }
}

extension LoadBench {
    /// Frames that the driver did not take, as ethtool has them.
    func driverRefusals(of interface: String) throws -> UInt64 {
        try network.node.run(["ethtool", "-S", interface]).split(separator: "\n").reduce(0) { sum, line in
            let parts = line.split(separator: ":")
            guard parts.count == 2, parts[0].contains("tx_queue"), parts[0].contains("xdp_xmit_errors") else {
                return sum
            }
            return sum + (UInt64(parts[1].split(separator: " ").joined()) ?? 0)
        }
    }
}
