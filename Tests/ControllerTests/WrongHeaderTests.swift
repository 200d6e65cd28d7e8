// The defect that must not happen: a copy that carries another leg's header.

import CrosspointShim
import FastPath
import LoadGenerator
import RTPWire
import Synchronization
import TestSupport
import Testing

extension NodeFastPathTests {
    /// Two flows over the same interfaces, whose legs differ in every header field.
    @Suite struct WrongHeaders {
        /// Flow 0's legs that nobody touches: interleaved over three interfaces and the ingress interface.
        private static let steady: [TestLeg] = [
            .init(number: 1, egress: 0), .init(number: 2, egress: 1), .init(number: 3, egress: 2),
            .init(number: 4, egress: 0), .init(number: 5, egress: nil), .init(number: 6, egress: 1),
            .init(number: 7, egress: 2), .init(number: 8, egress: 0), .init(number: 9, egress: 1),
        ]
        /// Flow 1's legs: other legs of other numbers over the same interfaces, with the same devmap.
        private static let others: [TestLeg] = steady.map {
            .init(number: $0.number + 300, egress: $0.egress, flow: 1)
        }
        /// Legs of flow 0 that come, go and change: one of each pair is in the set, or neither.
        private static let changing: [(TestLeg, TestLeg)] = [
            (.init(number: 101, egress: 2), .init(number: 102, egress: 2)),
            (.init(number: 103, egress: 0), .init(number: 104, egress: 1)),
        ]

        @Test func neverComeWhileLinksFallMTUsShrinkAndLegsChange() async throws {
            let bench = try await LoadBench(egressPorts: 3)
            try bench.plan(flows: 2)
            let flows = try (0..<2).map { try bench.installFlow($0) }
            let steady = try Self.steady.map { try $0.install(bench, of: flows[0]) }
            let changing = try Self.changing.map {
                try [$0.0.install(bench, of: flows[0]), $0.1.install(bench, of: flows[0])]
            }
            try await bench.network.node.perform {
                try bench.fastPath.setLegs(steady, of: flows[0])
                try bench.fastPath.setLegs(Self.others.map { try $0.install(bench, of: flows[1]) }, of: flows[1])
            }
            let disturbances: [[String]] = [
                ["out0", "down"], ["out1", "mtu", "1000"], ["out0", "up"], ["out1", "mtu", "1500"],
                ["out1", "down"], ["out0", "mtu", "700"], ["out1", "up"], ["out0", "mtu", "1500"],
            ]
            var (changes, links) = (0, 0)
            let began = ContinuousClock.now
            // Until legs have changed and links have fallen often enough, however slow the machine is.
            for round in 0..<12 where round < 3 || changes < 6000 || links < 48 {
                let calls = try await bench.send(
                    500_000,
                    during: { call in
                        // Every third set has neither of a pair's legs, in the others they take turns.
                        let extra = changing.enumerated().compactMap { number, pair in
                            (call + number) % 3 == 2 ? nil : pair[(call + number) % 3]
                        }
                        try bench.fastPath.setLegs(steady + extra, of: flows[0])
                    },
                    { call in
                        let words = disturbances[call % disturbances.count]
                        try bench.network.node.run(["ip", "link", "set"] + words)
                    })
                changes += calls[0]
                links += calls[1]
            }
            for name in ["out0", "out1"] {
                try bench.network.node.run(["ip", "link", "set", name, "up", "mtu", "1500"])
            }
            let sums = try Sums.expectAgreement(bench)
            let rate = Double(changes) / (ContinuousClock.now - began).seconds
            print("wrong header: \(changes) leg changes (\(Int(rate))/s), \(links) link changes, \(sums.text)")
            #expect(changes > 1000 && links > 8)
            #expect(sums.skipped > 0, "no link was ever down: nothing was tested")
            let all = Self.steady + Self.others + Self.changing.flatMap { [$0.0, $0.1] }
            try bench.expectNoForeignHeader(all)
            // Legs of interfaces that nobody touched miss nothing, whatever happens to their neighbours.
            let packets = try bench.generator.sent / 2
            for legs in [Self.steady, Self.others] {
                try bench.expectComplete(legs.filter { $0.egress == 2 || $0.egress == nil }, packets: packets)
            }
            // All legs of an interface have the same count: a shifted ordinal would favour the first ones. Between two
            // entries of one broadcast the interface may fall, hence a copy or so for each time.
            for (egress, legs) in Dictionary(grouping: Self.others, by: \.egress) {
                let counts = try legs.map { try bench.generator.result(at: $0.number).good }
                let spread = (counts.max() ?? 0) - (counts.min() ?? 0)
                #expect(spread <= UInt64(links), "interface \(String(describing: egress)): \(counts)")
            }
        }

        @Test func neverComeWhenFarEndsRefuse() async throws {
            let bench = try await LoadBench(egressPorts: 3)
            try bench.plan(flows: 1)
            let flow = try bench.installFlow(0)
            try await bench.network.node.perform {
                try bench.fastPath.setLegs(Self.steady.map { try $0.install(bench, of: flow) }, of: flow)
            }
            let calls = try await bench.send(
                600_000,
                during: { call in
                    let words = [["sink0", "down"], ["sink1", "down"], ["sink0", "up"], ["sink1", "up"]][call % 4]
                    try bench.network.far.run(["ip", "link", "set"] + words)
                })
            for name in ["sink0", "sink1"] { try bench.network.far.run(["ip", "link", "set", name, "up"]) }
            let sums = try Sums.expectAgreement(bench, farEndsFell: calls[0] / 2 + 1)
            #expect(sums.refused > 0, "no driver refused anything: nothing was tested")
            try bench.expectNoForeignHeader(Self.steady)
            try bench.expectComplete(
                Self.steady.filter { $0.egress == 2 || $0.egress == nil }, packets: bench.generator.sent)
        }
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
