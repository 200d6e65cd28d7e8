// Changes of routes and legs on air: what is not touched loses nothing (M-16, M-17).

import FastPath
import LoadGenerator
import Netlink
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite struct ChangesOnAir {
        @Test func otherLegsLoseNothing() async throws {
            let bench = try await ControllerBench(egressPorts: 3)
            try bench.plan(flows: 4)
            let steady = Array(1...6)
            for number in steady { try bench.expect(number, egress: number % 3) }
            for number in 11...14 { try bench.expect(number, egress: number % 3) }
            // The taken route's legs get two flows by turns: nobody can check which.
            try await bench.add("steady", to: steady.map { ControllerBench.leg($0, egress: $0 % 3) })
            try await bench.add("taken", from: "239.1.1.10:5006@in0", to: [ControllerBench.leg(21, egress: 0)])
            for number in steady {
                try await bench.wait(forLeg: UInt32(number), of: "steady") { $0.state == .active }
            }
            let controller = try bench.controller
            var changes = 0
            let began = ContinuousClock.now
            let rounds = try await bench.send(1_200_000) { call in
                let extra = try LegSpecification(ControllerBench.leg(11 + call % 2, egress: (11 + call % 2) % 3))
                let other = try LegSpecification(ControllerBench.leg(13 + call % 2, egress: (13 + call % 2) % 3))
                let added = try await controller.addLeg(extra, to: "steady", force: false)
                _ = try await controller.setLeg(added.number, of: "steady", to: other)
                try await controller.removeLeg(added.number, from: "steady")
                changes += 3
                guard call % 4 == 0 else { return }
                try await bench.add("passing", from: "239.1.1.10:5005@in0", to: [ControllerBench.leg(22, egress: 1)])
                let port = call % 8 == 0 ? 5007 : 5006
                _ = try await controller.take(
                    route: "taken", source: try SourceSpecification("239.1.1.10:\(port)@in0"))
                try await controller.remove(route: "passing")
                changes += 3
            }
            let seconds = (ContinuousClock.now - began).seconds
            print("controller: \(changes) changes in \(rounds) rounds, \(Int(Double(changes) / seconds))/s on air")
            #expect(rounds > 4)
            // Against what came in: while the other CPU is busy, the ring in front of in0 overflows now and then, which is
            // no loss of the node's.
            let steadyFlow = try bench.flow("steady")
            #expect(steadyFlow.packets > 200_000)
            for number in steady {
                let result = try bench.generator.result(at: number)
                #expect(
                    result.good == steadyFlow.packets && result.bad == 0 && result.outOfOrder == 0
                        && Int64(result.missing) <= steadyFlow.rtp?.lostPackets ?? 0, "leg to \(number): \(result)")
            }
            for number in 11...14 {
                let result = try bench.generator.result(at: number)
                #expect(result.bad == 0 && result.outOfOrder == 0 && result.good > 0, "leg to \(number): \(result)")
            }
            // What came in went to flows or was dropped for a reason that has a name.
            let ingress = try bench.port("in0")
            let ours = ingress.forwardedPackets + ingress.dropped.values.reduce(0, +)
            let sent = try bench.generator.sent
            #expect(ours <= sent && ours > sent * 9 / 10, "\(ingress)")
            let passed = ingress.passed.values.reduce(0, +)
            #expect(ingress.receivedPackets == ours + passed)
            let ports = try bench.snapshot().ports
            let transmitted = ports.reduce(0) { $0 + $1.transmittedCopies }
            #expect(ingress.requestedCopies == transmitted)
            #expect(ports.allSatisfy { $0.refusedCopies == 0 })
        }

        @Test func countersOnlyGrowWhileLegsChange() async throws {
            let bench = try await ControllerBench(egressPorts: 2)
            try bench.plan()
            try await bench.add("cam", to: [ControllerBench.leg(1, egress: 0, to: "239.9.9.1")])
            try bench.expect(1, egress: 0, to: IPAddress(239, 9, 9, 1))
            let controller = try bench.controller
            let reader = try PinnedStatistics(pins: bench.folder.pins)
            var (last, dumps): (StatisticsSnapshot?, Int) = (nil, 0)
            _ = try await bench.send(2_000_000) { call in
                let leg = try LegSpecification(ControllerBench.leg(2, egress: call % 2, to: "239.9.9.2"))
                let added = try await controller.addLeg(leg, to: "cam", force: false)
                let now = try reader.snapshot()
                dumps += 1
                if let last { expectGrowth(from: last, to: now) }
                last = now
                try await controller.removeLeg(added.number, from: "cam")
            }
            print("statistics: \(dumps) dumps while legs changed")
            #expect(dumps > 3)
            try bench.expectComplete([1], packets: 2_000_000)
        }

        private func expectGrowth(from old: StatisticsSnapshot, to new: StatisticsSnapshot) {
            #expect(new.monotonicNanoseconds > old.monotonicNanoseconds)
            for port in new.ports {
                guard let before = old.ports.first(where: { $0.name == port.name }) else { continue }
                #expect(port.receivedPackets >= before.receivedPackets)
                #expect(port.forwardedBytes >= before.forwardedBytes)
                #expect(port.requestedCopies >= before.requestedCopies)
                #expect(port.transmittedCopies >= before.transmittedCopies)
                #expect(port.refusedCopies >= before.refusedCopies)
                for (reason, packets) in port.dropped { #expect(packets >= before.dropped[reason] ?? 0) }
            }
            for (flow, before) in zip(new.flows, old.flows) {
                #expect(flow.packets >= before.packets && flow.bytes >= before.bytes)
                #expect((flow.rtp?.expectedPackets ?? 0) >= (before.rtp?.expectedPackets ?? 0))
                for leg in flow.legs {
                    guard let old = before.legs.first(where: { $0.leg == leg.leg }) else { continue }
                    #expect(leg.packets >= old.packets && leg.bytes >= old.bytes)
                }
            }
        }

        /// M-15: the packets of one video frame, back to back.
        @Test(arguments: [1, 3])
        func aFullFrameBurstIsForwardedWhole(legsPerPort: Int) async throws {
            let bench = try await ControllerBench(egressPorts: 2)
            try bench.plan()
            let numbers = Array(1...2 * legsPerPort)
            for number in numbers {
                try bench.expect(number, egress: number % 2, to: IPAddress(239, 9, 9, UInt8(number)))
            }
            try await bench.add(
                "cam", to: numbers.map { ControllerBench.leg($0, egress: $0 % 2, to: "239.9.9.\($0)") })
            for _ in 0..<10 { try await bench.send(4320, batch: legsPerPort == 1 ? 32 : 8) }
            try bench.expectComplete(numbers, packets: 43_200)
            #expect(try bench.flow("cam").rtp?.lostPackets == 0)
            #expect(try bench.snapshot().ports.allSatisfy { $0.refusedCopies == 0 })
        }

        /// M-18.
        @Test func theLastArrivalIsSeenAndSoIsItsAbsence() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan()
            try await bench.add("cam", to: [])
            #expect(try bench.flow("cam").lastPacketAgeNanoseconds == nil)
            #expect(try bench.flow("cam").packets == 0 && bench.flow("cam").rtp == nil)
            try await bench.send(1000)
            let first = try #require(try bench.flow("cam").lastPacketAgeNanoseconds)
            try await Task.sleep(for: .milliseconds(300))
            let second = try #require(try bench.flow("cam").lastPacketAgeNanoseconds)
            #expect(second >= first + 300_000_000)
            try await bench.send(1000)
            let third = try #require(try bench.flow("cam").lastPacketAgeNanoseconds)
            #expect(third < second)
            try await eventually {
                let isNoted = bench.log.contains("route cam: first packet, from 10.0.0.2:5004")
                return isNoted ? nil : "\(bench.log.all)"
            }
        }
    }
}
