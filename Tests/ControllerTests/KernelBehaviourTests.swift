// What the design relies on in the kernel: a new kernel that does otherwise fails here, and not on air.

import CrosspointShim
import LoadGenerator
import RTPWire
import TestSupport
import Testing

@testable import FastPath

extension NodeFastPathTests {
    @Suite struct KernelBehaviours {
        /// One flow with the legs.
        private func bench(_ legs: [TestLeg], egressPorts: Int = 1) async throws -> (LoadBench, FlowHandle) {
            let bench = try await LoadBench(egressPorts: egressPorts)
            try bench.plan(flows: 1)
            let flow = try bench.installFlow(0)
            try await bench.network.node.perform {
                try bench.fastPath.setLegs(legs.map { try $0.install(bench, of: flow) }, of: flow)
            }
            return (bench, flow)
        }

        /// bq_enqueue() takes the program of a whole bulk from its first frame: one without leaves the others without.
        @Test func theEgressProgramOfABulkIsItsFirstFrames() async throws {
            let bench = try await LoadBench(egressPorts: 1)
            try bench.plan(flows: 2)
            let flows = try (0..<2).map { try bench.installFlow($0) }
            let group = [TestLeg(number: 1, egress: 0, flow: 1), TestLeg(number: 2, egress: 0, flow: 1)]
            let single = TestLeg(number: 3, egress: 0)
            try await bench.network.node.perform {
                try bench.fastPath.setLegs([try single.install(bench, of: flows[0])], of: flows[0])
                try bench.fastPath.setLegs(group.map { try $0.install(bench, of: flows[1]) }, of: flows[1])
            }
            // Single copies and broadcasts take turns within each bulk, and all are right.
            try await bench.send(64_000)
            try bench.expectComplete(group + [single], packets: 32_000)
            try Sums.expectAgreement(bench)

            // The same with an entry of tx_ports that has no program: the group's copies leave as they came.
            let port = try #require(try bench.fastPath.port(named: "out0"))
            try await bench.network.node.perform {
                let map = try #require(try bench.folder.pins.ownGeneration.open(.maps, "tx_ports"))
                let index = bench.network.egress[0].index
                #expect(map.use { crosspoint_bpf_set_devmap_entry($0, UInt32(port.number), index, -1) } == 0)
            }
            try await bench.send(64_000)
            #expect(try bench.generator.strays > 0, "a bulk's program is no longer that of its first frame")
        }

        /// VETH_RING_SIZE: of one poll's 64 packets times 8 legs, half is lost.
        @Test func aVethRingHolds256Frames() async throws {
            let legs = (1...8).map { TestLeg(number: $0, egress: 0) }
            let (bench, _) = try await bench(legs)
            try await bench.send(64, batch: 64)
            let sums = try Sums.expectAgreement(bench)
            #expect(sums.arrived == 256 && sums.refused == 256, "\(sums.text)")
        }

        /// is_valid_dst(): copies for an interface that is down or too narrow are left out, without a word.
        @Test(arguments: [["down"], ["mtu", "1000"]])
        func legsOfAnInterfaceThatCannotTakeTheFrameAreSkipped(change: [String]) async throws {
            let legs = (1...4).map { TestLeg(number: $0, egress: $0 % 2) }
            let (bench, _) = try await bench(legs, egressPorts: 2)
            try bench.network.node.run(["ip", "link", "set", "out0"] + change)
            try await bench.send(20_000)
            let sums = try Sums.expectAgreement(bench)
            #expect(sums.skipped == 40_000 && sums.refused == 0, "\(sums.text)")
            #expect(try bench.snapshot().ports.allSatisfy { $0.undelivered.values.allSatisfy { $0 == 0 } })
            try bench.expectComplete(legs.filter { $0.egress == 1 }, packets: 20_000)
        }

        /// xdpf_clone() copies what ingress wrote: each of many copies knows its group. The last is the frame itself.
        @Test func theNoteSurvivesTheClones() async throws {
            let legs = (1...12).map { TestLeg(number: $0, egress: $0 % 3) }
            let (bench, _) = try await bench(legs, egressPorts: 3)
            try await bench.send(50_000)
            let port = try bench.snapshot().ports
            #expect(port.reduce(0) { $0 + $1.transmittedCopies } == 600_000)
            try bench.expectComplete(legs, packets: 50_000)
        }

        /// dev_map_notification(): entries go with their device. An interface of the same name gets them back.
        @Test func devmapEntriesGoWithTheDeviceAndAreMadeAnew() async throws {
            let legs = [TestLeg(number: 1, egress: 0), TestLeg(number: 2, egress: 1), TestLeg(number: 3, egress: 0)]
            let (bench, _) = try await bench(legs, egressPorts: 2)
            try await bench.send(10_000)
            let before = try #require(try bench.fastPath.port(named: "out0"))
            #expect(
                try entries(bench) == [
                    bench.network.egress[0].index, bench.network.egress[0].index, bench.network.egress[1].index,
                ])
            try bench.network.node.run(["ip", "link", "delete", "out0"])
            #expect(try entries(bench) == [0, 0, bench.network.egress[1].index])
            let transmit = try #require(try bench.folder.pins.ownGeneration.open(.maps, "tx_ports"))
            #expect(transmit.use { crosspoint_bpf_devmap_interface($0, UInt32(before.number)) } == 0)

            try bench.network.node.addVeth(
                VethEnd("out0", mac: "02:00:00:00:01:10"), to: VethEnd("sink0"), in: bench.network.far)
            let again = try TestNetwork.interface("out0", in: bench.network.node)
            let sink = try TestNetwork.interface("sink0", in: bench.network.far)
            #expect(again.index != before.interfaceIndex)
            try await bench.network.node.perform {
                try bench.fastPath.interfaceGone(before)
                let port = try bench.fastPath.attachPort(name: "out0", interfaceIndex: again.index, mac: again.mac)
                #expect(port.number == before.number)
            }
            #expect(try entries(bench) == [again.index, again.index, bench.network.egress[1].index])
            try await bench.network.far.perform { try bench.generator.attach(.check, to: sink.index) }
            for leg in legs where leg.egress == 0 { try leg.expect(bench, at: sink.index) }
            try await bench.send(10_000)
            for leg in legs {
                let result = try bench.generator.result(at: leg.number)
                #expect(result.bad == 0 && result.good == (leg.egress == 0 ? 10_000 : 20_000), "leg \(leg)")
            }
        }

        /// The interfaces in the devmap of the bench's only shape.
        private func entries(_ bench: LoadBench) throws -> [UInt32] {
            let name = try #require(bench.folder.pins.ownGeneration.names(.shapes).first)
            let devmap = try #require(try bench.folder.pins.ownGeneration.open(.shapes, name))
            var info = crosspoint_map_info()
            #expect(devmap.use { crosspoint_bpf_map_info($0, &info) } == 0)
            return (0..<info.max_entries).map { entry in devmap.use { crosspoint_bpf_devmap_interface($0, entry) } }
        }
    }
}
