// The AF_XDP engine on cards whose driver has zero-copy: scripts/test vm boots a machine that has them.

import AFXDP
import FastPath
import LoadGenerator
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite(
        "AF_XDP engine on cards with zero-copy",
        .enabled(
            if: NetworkCards.haveZeroCopy, "no cards with zero-copy: scripts/test vm boots a machine that has them"))
    struct ZeroCopy {
        private static let cards = TestNetwork.Cables.cards(queues: 1)
        private static let legs: [TestLeg] = [
            .init(number: 1, egress: 0), .init(number: 2, egress: 1), .init(number: 3, egress: 0),
            .init(number: 4, egress: nil), .init(number: 5, egress: 1),
        ]
        /// Packets at once: what the ring of an emulated card holds.
        private static let burst = 96

        private func rig(_ legs: [TestLeg], _ polling: EngineSettings.Polling = .sleep) async throws -> EngineRig {
            let rig = try await EngineRig(
                egressPorts: 2, legs: legs, settings: EngineSettings(polling: polling), cables: Self.cards)
            try rig.use(.afxdp)
            let sockets = try rig.sockets()
            #expect(sockets.count == 3 && sockets.allSatisfy { $0.mode == "zero-copy" }, "\(sockets)")
            return rig
        }

        @Test(arguments: [(1, EngineSettings.Polling.sleep), (3, .sleep), (3, .busy)])
        func sendsTheSameAsTheKernelEngine(legs: Int, polling: EngineSettings.Polling) async throws {
            let bench = try await EngineBench(
                settings: EngineSettings(polling: polling), mtu: 1600, cables: Self.cards)
            try await Conformance.check(bench, ConformanceCase.single, legs: legs, mtu: 1600)
            let sockets = try bench.snapshot().ports.flatMap(\.sockets)
            #expect(sockets.count == 3 && sockets.allSatisfy { $0.mode == "zero-copy" }, "\(sockets)")
        }

        @Test func framesOfSeveralBuffersGoInCopyModeWhereTheDriverHasThemOnlyThere() async throws {
            let bench = try await EngineBench(mtu: 9000, cables: Self.cards)
            try await Conformance.check(bench, ConformanceCase.jumbo, legs: 3, mtu: 9000, together: false)
            let sockets = try bench.snapshot().ports.flatMap(\.sockets)
            #expect(sockets.count == 3 && sockets.allSatisfy { $0.mode == "copy" && $0.isMultiBuffer }, "\(sockets)")
        }

        @Test func zeroCopyThatFramesDoNotFitIsRefused() async throws {
            let bench = try await EngineBench(
                settings: EngineSettings(mode: .zeroCopy), mtu: 9000, cables: Self.cards)
            let error = #expect(throws: EngineError.self) { try bench.start(mtu: 9000) }
            #expect(error?.message.contains("MTU of 9000") == true, "\(String(describing: error))")
        }

        @Test(arguments: [(1, EngineSettings.Polling.sleep), (5, .sleep), (5, .spin), (5, .busy)])
        func everyCopyArrives(legs: Int, polling: EngineSettings.Polling) async throws {
            let rig = try await rig(Array(Self.legs.prefix(legs)), polling)
            // More than there are frames, so that all have been used and have come back.
            for _ in 0..<100 {
                try await rig.bench.send(Self.burst)
                try await rig.waitUntilSent()
            }
            try rig.expectComplete(inOrder: true)
            let sockets = try rig.sockets()
            let received = sockets.reduce(0) { $0 + ($1.counters["rx_packets"] ?? 0) }
            #expect(received == UInt64(100 * Self.burst), "they went through the worker")
        }

        @Test func oneToMany() async throws {
            let rig = try await rig((1...64).map { TestLeg(number: $0, egress: $0 % 2) })
            for _ in 0..<8 {
                try await rig.bench.send(16)
                try await rig.waitUntilSent()
            }
            try rig.expectComplete(inOrder: true)
        }

        @Test func aLinkThatIsDownCostsOnlyItsOwnLegs() async throws {
            let rig = try await rig(Self.legs)
            let burst = UInt64(Self.burst)
            try await rig.bench.send(Self.burst)
            try await rig.waitUntilSent()
            try rig.bench.network.node.run(["ip", "link", "set", "out0", "down"])
            for round in 1...4 {
                try await rig.bench.send(Self.burst)
                try await eventually(seconds: 20) {
                    let good = try [2, 4, 5].map { try rig.bench.generator.result(at: $0).good }
                    return good.allSatisfy { $0 == UInt64(round + 1) * burst } ? nil : "\(good)"
                }
            }
            let undelivered = try rig.bench.snapshot().ports.first { $0.name == "out0" }?.undelivered ?? [:]
            // The driver has what came in the moment before it said that it is down, and sends it later.
            let late = 2 * 4 * burst - (undelivered["copy_interface_down"] ?? 0)
            #expect(late <= 128, "\(undelivered)")
            try rig.bench.network.node.run(["ip", "link", "set", "out0", "up"])
            try rig.bench.network.node.waitUntilRunning("out0")
            try await eventually(seconds: 20) {
                try await rig.bench.send(1)
                let (first, third) = (
                    try rig.bench.generator.result(at: 1).good, try rig.bench.generator.result(at: 3).good
                )
                return first + third > 2 * burst + late ? nil : "\(first), \(third)"
            }
            for _ in 0..<4 {
                try await rig.bench.send(Self.burst)
                let sent = try rig.bench.generator.sent
                try await eventually(seconds: 20) {
                    let good = try [2, 4, 5].map { try rig.bench.generator.result(at: $0).good }
                    return good.allSatisfy { $0 == sent } ? nil : "\(good) of \(sent)"
                }
            }
            // What was refused, and not one more, is missing.
            let refused = try rig.bench.snapshot().ports.first { $0.name == "out0" }?.undelivered ?? [:]
            let sent = try rig.bench.generator.sent
            try await eventually(seconds: 20) {
                let (first, third) = (
                    try rig.bench.generator.result(at: 1).good, try rig.bench.generator.result(at: 3).good
                )
                return first + third + (refused["copy_interface_down"] ?? 0) == 2 * sent
                    ? nil : "\(first), \(third) of \(sent), \(refused)"
            }
            for leg in Self.legs { #expect(try rig.bench.generator.result(at: leg.number).bad == 0) }
        }

        @Test func socketsThatComeAndGoLoseNothingOfWhatTheyHave() async throws {
            let rig = try await rig(Self.legs)
            for _ in 0..<6 {
                try await rig.bench.send(Self.burst)
                try await rig.waitUntilSent()
                try await rig.bench.network.node.perform {
                    try rig.engine.set(rig.ports().filter { $0.name != "out1" })
                    try rig.engine.set(rig.ports())
                }
            }
            try rig.expectComplete(inOrder: true)
            #expect(try rig.sockets().allSatisfy { $0.mode == "zero-copy" })
        }

        @Test(arguments: [EngineSettings.Polling.sleep, .busy])
        func everyQueueHasItsSocketAndItsWorker(polling: EngineSettings.Polling) async throws {
            let bench = try await EngineBench(
                settings: EngineSettings(polling: polling), cables: .cards(queues: NetworkCards.queues))
            try bench.start()
            let flows = 40
            var frames: [[UInt8]] = []
            for number in 0..<flows {
                var packet = Packet()
                packet.destinationPort = UInt16(10_000 + number)
                _ = try bench.route(
                    for: packet, engine: .afxdp,
                    legs: try (0..<2).map {
                        try bench.leg("10.2.0.5", egress: $0, udpPort: UInt16(20_000 + 2 * number + $0))
                    })
                frames.append(packet.bytes)
            }
            let captured = try await bench.capture {
                for _ in 0..<4 { try await bench.send(frames) }
                return 4 * flows * 2
            }
            #expect(captured.map(\.count) == [4 * flows, 4 * flows])
            let ports = try bench.snapshot().ports
            for port in ports {
                #expect(port.sockets.count == NetworkCards.queues && port.sockets.allSatisfy { $0.mode == "zero-copy" })
            }
            // The device spreads flows over queues by a hash.
            let received = try #require(ports.first { $0.name == "in0" }).sockets.map { $0.counters["rx_packets"] ?? 0 }
            #expect(received.allSatisfy { $0 > 0 } && received.reduce(0, +) == UInt64(4 * flows), "\(received)")
            for name in ["out0", "out1"] {
                let sent = try #require(ports.first { $0.name == name }).sockets.map { $0.counters["tx_packets"] ?? 0 }
                #expect(sent == received, "\(name): each worker sends by its own queue")
            }
        }

        /// By itself only where the kernel engine's packets can leave beside it: see FlowController.hasZeroCopy().
        @Test(arguments: [(EngineSettings.Mode.zeroCopy, "zero-copy"), (.automatic, "copy")])
        func aRouteGetsIt(mode: EngineSettings.Mode, wanted: String) async throws {
            let bench = try await ControllerBench(
                egressPorts: 2, cables: Self.cards, engine: EngineSettings(mode: mode))
            try bench.plan()
            let legs = (1...3).map { ControllerBench.leg($0, egress: $0 % 2, to: "239.9.9.\($0)") }
            for number in 1...3 {
                try bench.expect(number, egress: number % 2, to: IPAddress(239, 9, 9, UInt8(number)))
            }
            var route = try ControllerBench.route("cam", to: legs)
            route.engine = .afxdp
            let report = try await bench.controller.add(route, owner: .operator)
            #expect(report.engine == "afxdp", "\(report.engineReason)")
            let sockets = try bench.snapshot().ports.flatMap(\.sockets)
            #expect(sockets.count == 3 && sockets.allSatisfy { $0.mode == wanted }, "\(sockets)")
            try await eventually { try bench.flow("cam").engine == "afxdp" ? nil : "\(try bench.flow("cam"))" }
            for _ in 0..<4 {
                try await bench.send(Self.burst)
                let sent = try bench.generator.sent
                try await eventually(seconds: 20) {
                    let good = try (1...3).map { try bench.generator.result(at: $0).good }
                    return good.allSatisfy { $0 == sent } ? nil : "\(good) of \(sent)"
                }
            }
            try bench.expectComplete(1...3, packets: bench.generator.sent)
        }
    }
}
