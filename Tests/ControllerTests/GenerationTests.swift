// Tables of another layout, made beside those that run and carried over, while packets flow.

import BPFPrograms
import CrosspointShim
import LoadGenerator
import Synchronization
import TestSupport
import Testing

@testable import FastPath

extension NodeFastPathTests {
    /// The other version is the last one with layout 6: its flow, flow detail and leg detail records have other sizes and fields.
    @Suite struct TablesOfAnotherLayout {
        /// Another number for layout 6, under which it describes itself as every later layout does.
        private static let other: UInt32 = 1006
        private static func otherPrograms() throws -> BPFObject {
            BPFObject(.crosspoint, version: "other", bytes: try ReleasedPrograms.layoutSix())
        }

        /// What a start of the other version does, with tables of this one running.
        private static func startOther(
            _ bench: LoadBench, _ object: BPFObject,
            describedAs description: ((String) -> String)? = nil,
            reached: @escaping (HandoverStep) throws(FastPathError) -> Void = { (_) throws(FastPathError) in }
        ) throws {
            let pins = bench.folder.pins
            let handover = Handover(pins: pins, reached: reached)
            let found = try #require(try Generation.committed(in: pins))
            if found.version != other { try handover.make(object, version: other, from: found) }
            try handover.finish(try #require(try Generation.committed(in: pins)))
            guard let description else { return }
            let tables = pins.generation(other)
            let text = String(
                decoding: try KernelRecord.read(try #require(try tables.open(.maps, "layout")), name: "layout")
                    .dropLast(),
                as: UTF8.self)
            try Generation.pinLayout(description(text), in: tables)
        }

        /// A start of this version.
        private static func startOwn(
            _ bench: LoadBench,
            reached: @escaping (HandoverStep) throws(FastPathError) -> Void = { (_) throws(FastPathError) in }
        ) throws -> FastPath {
            let fastPath = try FastPath(pins: bench.folder.pins, name: "test", reached: reached)
            for interface in [bench.network.ingress] + bench.network.egress {
                _ = try fastPath.attachPort(name: interface.name, interfaceIndex: interface.index, mac: interface.mac)
            }
            return fastPath
        }

        /// The layout that every port's programs belong to.
        private static func running(_ bench: LoadBench) throws -> UInt32 {
            let pins = bench.folder.pins
            var programs: [UInt32: UInt32] = [:]
            for version in pins.generations {
                guard let program = try pins.generation(version).open(.programs, "ingress") else { continue }
                programs[program.use(crosspoint_bpf_program_id)] = version
            }
            var versions: Set<UInt32> = []
            for name in pins.names(.links) {
                let link = try #require(try pins.open(.links, name))
                versions.insert(programs[link.use(crosspoint_bpf_link_program)] ?? 0)
            }
            #expect(versions.count == 1, "ports run \(versions)")
            return versions.first ?? 0
        }

        @Test func aHandoverLosesNothingInEitherDirectionAndKeepsEveryCounter() async throws {
            let bench = try await LegBench.make()
            let object = try Self.otherPrograms()
            bench.drop()
            let handovers = Atomic(0)
            // Reads as `crosspoint stats` does, from whatever is there.
            let lowest = Mutex<[String: UInt64]>([:])
            let readings = Atomic(0)
            try await bench.send(
                1_500_000,
                during: { call in
                    if call % 2 == 0 {
                        try Self.startOther(bench, object)
                        #expect(try Self.running(bench) == Self.other)
                    } else {
                        let fastPath = try Self.startOwn(bench)
                        #expect(
                            fastPath.origin == .carriedOver(fromLayout: Self.other, programs: "other"))
                        #expect(try Self.running(bench) == UInt32(CROSSPOINT_ABI_VERSION))
                    }
                    handovers.add(1, ordering: .relaxed)
                },
                { _ in
                    let snapshot = try bench.snapshot()
                    lowest.withLock { known in
                        for flow in snapshot.flows {
                            #expect(flow.packets >= known[flow.route, default: 0], "a counter fell")
                            known[flow.route] = flow.packets
                            for leg in flow.legs {
                                let name = "\(flow.route) \(leg.leg)"
                                #expect(leg.packets >= known[name, default: 0], "a counter fell")
                                known[name] = leg.packets
                            }
                        }
                    }
                    readings.add(1, ordering: .relaxed)
                })
            try await bench.open()
            try LegBench.expectNothingLost(bench)
            #expect(handovers.load(ordering: .relaxed) > 2 && readings.load(ordering: .relaxed) > 0)
            // What was carried over can be changed.
            let flow = try #require(bench.fastPath.findFlow(bench.key(1), where: { $0 == "flow1" }))
            try await bench.network.node.perform { try bench.fastPath.setLegs([], of: flow) }
            try await bench.send(2000)
            #expect(try bench.snapshot().ports.first { $0.name == "in0" }?.dropped["drop_no_leg"] == 1000)
            #expect(bench.folder.pins.generations == [UInt32(CROSSPOINT_ABI_VERSION)])
            print("handover: \(handovers.load(ordering: .relaxed)) times under load, nothing lost")
        }

        @Test(arguments: HandoverStep.allCases)
        func aProcessThatEndsAtAnyStepLeavesTheOldTablesOrTheNewOnes(step: HandoverStep) async throws {
            let bench = try await LegBench.make()
            let object = try Self.otherPrograms()
            bench.drop()
            let ended: @Sendable (HandoverStep) throws(FastPathError) -> Void = { (reached) throws(FastPathError) in
                if reached == step { throw FastPathError(.kernel, "ended at \(step)") }
            }
            let isInForce = ![.translated, .pinned].contains(step)
            let own = UInt32(CROSSPOINT_ABI_VERSION)
            try await bench.send(
                600_000,
                during: { call in
                    // Forwards, with an end at the step, and once more by whoever has to go on.
                    try Self.startOther(bench, object)
                    let error = #expect(throws: FastPathError.self) {
                        _ = try Self.startOwn(bench, reached: ended)
                    }
                    #expect(error?.message == "ended at \(step)")
                    #expect(try Generation.committed(in: bench.folder.pins)?.version == (isInForce ? own : Self.other))
                    if !isInForce {
                        // The old version starts again.
                        try Self.startOther(bench, object)
                        #expect(try Self.running(bench) == Self.other)
                    }
                    _ = try Self.startOwn(bench)
                    #expect(try Self.running(bench) == own)
                    // And backwards.
                    #expect(throws: FastPathError.self) { try Self.startOther(bench, object, reached: ended) }
                    if !isInForce {
                        _ = try Self.startOwn(bench)
                        #expect(try Self.running(bench) == own)
                    }
                    try Self.startOther(bench, object)
                    #expect(try Self.running(bench) == Self.other)
                })
            try await bench.open()
            try LegBench.expectNothingLost(bench)
            #expect(bench.folder.pins.generations == [own])
        }

        @Test func countersOfAnotherFormAreCarriedOverWhenTheirLastPacketIsCounted() async throws {
            let bench = try await LegBench.make()
            let object = try Self.otherPrograms()
            bench.drop()
            // Nothing of it can be shared.
            let describe: @Sendable (String) -> String = { text in
                text.split(separator: "\n").map { line in
                    let isCounted = [
                        "record crosspoint_flow_count ", "record crosspoint_leg_count ", "record crosspoint_lane ",
                        "record crosspoint_reason_count ", "record crosspoint_rtp ", "record crosspoint_rtp_detail ",
                    ].contains { line.hasPrefix($0) }
                    return isCounted ? "\(line)\nfield another 0 1 1" : String(line)
                }.joined(separator: "\n")
            }
            let handovers = try await bench.send(
                600_000,
                during: { _ in
                    try Self.startOther(bench, object, describedAs: describe)
                    _ = try Self.startOwn(bench)
                })
            #expect(handovers[0] > 0)
            try await bench.open()
            let sent = try LegBench.expectCopies(bench)
            for flow in try bench.snapshot().flows {
                #expect(flow.rtp?.lostPackets == 0 && flow.rtp?.lossEvents == 0, "\(flow)")
                // Packets between the copy of the record and the new program's first one are in no RTP count.
                let received = flow.rtp?.receivedPackets ?? 0
                #expect(received > sent / 4 && received <= sent / 2)
            }
        }

        @Test func theReleasedVersionIsCarriedOver() async throws {
            let bench = try await LegBench.make()
            let object = try Self.otherPrograms()
            bench.drop()
            try await bench.network.node.perform { try Self.becomeLayoutSix(bench, object) }
            try await bench.send(100_000)
            // Its statistics are read as they are.
            let before = try bench.snapshot()
            #expect(before.flows.map(\.packets) == [50_000, 50_000] && before.programVersion == "other")
            #expect(before.flows.flatMap(\.legs).count == LegBench.legs.count + 1)
            #expect(before.ports.first { $0.name == "in0" }?.dropped["drop_no_flow"] == 0)
            try Sums.expectAgreement(bench)
            let opened = Mutex(false)
            try await bench.send(
                400_000,
                during: { call in
                    guard call == 0 else { return }
                    let fastPath = try Self.startOwn(bench)
                    #expect(fastPath.origin == .carriedOver(fromLayout: 6, programs: "other"))
                    opened.withLock { $0 = true }
                })
            #expect(opened.withLock { $0 })
            try await bench.open()
            try LegBench.expectNothingLost(bench)
            let pins = bench.folder.pins
            #expect(pins.names(.maps) == ["node", "statistics"])
            #expect(pins.names(.programs).isEmpty && pins.names(.shapes).isEmpty)
            #expect(pins.names(.links).allSatisfy { $0.hasPrefix("port-") })
        }

        /// Makes of this version's pins what the released version has: everything in the node's own folder, undescribed.
        private static func becomeLayoutSix(_ bench: LoadBench, _ object: BPFObject) throws {
            let pins = bench.folder.pins
            try startOther(bench, object)
            let tables = pins.generation(other)
            try pins.create()
            for kind in PinDirectory.Kind.allCases {
                for name in tables.names(kind) where name != "layout" {
                    let pinned = try #require(try tables.open(kind, name))
                    if name == "node" {
                        let layout = try #require(TableLayout(text: LayoutSix.text))
                        var record = try KernelRecord(
                            pinned, name: name, layout: try #require(layout.record(ofMap: "node")))
                        record["abi_version"] = 6
                        try record.write(to: pinned, name: name)
                    }
                    if kind != .programs || ["ingress", "egress"].contains(name) { try pins.pin(pinned, kind, name) }
                }
            }
            pins.unpin(.maps, Generation.readablePin)
            tables.removeAll()
        }

        @Test func reasonsAreCarriedOverByTheirNames() async throws {
            let bench = try await LegBench.make()
            let object = try Self.otherPrograms()
            let flow = try #require(bench.fastPath.findFlow(bench.key(1), where: { $0 == "flow1" }))
            try await bench.network.node.perform { try bench.fastPath.setLegs([], of: flow) }
            bench.drop()
            // As if two reasons had each other's number there.
            let swap: @Sendable (String) -> String = { text in
                text.split(separator: "\n").map { line in
                    switch line {
                    case "reason 10 drop_no_flow": "reason 10 drop_no_leg"
                    case "reason 15 drop_no_leg": "reason 15 drop_no_flow"
                    default: String(line)
                    }
                }.joined(separator: "\n")
            }
            try await bench.network.node.perform { try Self.startOther(bench, object, describedAs: swap) }
            try await bench.send(2000)
            try await bench.open()
            let dropped = try #require(try bench.snapshot().ports.first { $0.name == "in0" }).dropped
            #expect(dropped["drop_no_flow"] == 1000 && dropped["drop_no_leg"] == 0)
            try await bench.send(200)
            let after = try #require(try bench.snapshot().ports.first { $0.name == "in0" }).dropped
            #expect(after["drop_no_flow"] == 1000 && after["drop_no_leg"] == 100)
        }

        @Test func programsThatTheKernelRefusesLeaveTheOldOnesAndNothingOfTheirs() async throws {
            let bench = try await LegBench.make()
            let object = try Self.otherPrograms()
            bench.drop()
            try await bench.network.node.perform {
                try Self.startOther(bench, object)
                // Whole but for its last bytes: no program of it.
                let broken = BPFObject(.crosspoint, version: "broken", bytes: BPFObject.crosspoint.bytes.dropLast(4096))
                #expect(throws: FastPathError.self) {
                    _ = try FastPath(pins: bench.folder.pins, name: "test", object: broken)
                }
                #expect(bench.folder.pins.generations == [Self.other])
                #expect(try Self.running(bench) == Self.other)
            }
            try await bench.send(20_000)
            try await bench.open()
            try LegBench.expectNothingLost(bench)
        }

        @Test func whatTheFirstGenerationsHadIsRefused() async throws {
            let bench = try await LegBench.make()
            bench.drop()
            let pins = bench.folder.pins
            let node = try #require(try Generation.committed(in: pins)).node
            let layout = try #require(TableLayout(text: LayoutSix.text))
            var record = try KernelRecord(node, name: "node", layout: try #require(layout.record(ofMap: "node")))
            record["abi_version"] = 5
            try record.write(to: node, name: "node")
            let error = await #expect(throws: FastPathError.self) { try await bench.open() }
            #expect(error?.message.contains("maps of layout 5, this program carries over layouts from 6 on") == true)
            // One that pins no description is refused, too.
            record["abi_version"] = 9
            try record.write(to: node, name: "node")
            let other = await #expect(throws: FastPathError.self) { try await bench.open() }
            #expect(other?.message.contains("maps of layout 9, which say nothing of their records") == true)
            record["abi_version"] = UInt64(CROSSPOINT_ABI_VERSION)
            try record.write(to: node, name: "node")
            try await bench.open()
        }
    }
}
