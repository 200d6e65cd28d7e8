// Routes and their engine, by the controller: asked for, chosen, moved, refused, reported.

import FastPath
import LoadGenerator
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite("Engine of a route") struct EngineRoutes {
        private static let legs = (1...3).map { ControllerBench.leg($0, egress: $0 % 2, to: "239.9.9.\($0)") }

        private func bench() async throws -> ControllerBench {
            let bench = try await ControllerBench(egressPorts: 2)
            try bench.plan()
            for number in 1...3 {
                try bench.expect(number, egress: number % 2, to: IPAddress(239, 9, 9, UInt8(number)))
            }
            return bench
        }

        private func send(_ bench: ControllerBench, legs: Int = 3) async throws {
            try await bench.send(512)
            let sent = try bench.generator.sent
            try await eventually(seconds: 20) {
                let good = try (1...legs).map { try bench.generator.result(at: $0).good }
                return good.allSatisfy { $0 == sent } ? nil : "\(good) of \(sent)"
            }
        }

        private func sockets(_ bench: ControllerBench) throws -> [String: Int] {
            Dictionary(
                uniqueKeysWithValues: try bench.snapshot().ports.filter { !$0.sockets.isEmpty }
                    .map { ($0.name, $0.sockets.count) })
        }

        @Test func isWhatWasAskedForUntilItIsMoved() async throws {
            let bench = try await bench()
            var route = try ControllerBench.route("cam", to: Self.legs)
            route.engine = .afxdp
            let report = try await bench.controller.add(route, owner: .operator)
            #expect(report.engine == "afxdp" && report.engineReason == "engine afxdp was asked for")
            #expect(try sockets(bench) == ["in0": 1, "out0": 1, "out1": 1])
            try await send(bench)
            try await eventually { try bench.flow("cam").engine == "afxdp" ? nil : "\(try bench.flow("cam"))" }
            let moved = try await bench.controller.setEngine(.kernel, of: "cam")
            #expect(moved.engine == "kernel" && moved.specification.engine == .kernel)
            #expect(try sockets(bench).isEmpty, "sockets that nobody needs")
            try await send(bench)
            #expect(try bench.flow("cam").engineReason == "engine kernel was asked for")
            _ = try await bench.controller.setEngine(.afxdp, of: "cam")
            try await send(bench)
            try bench.expectComplete(1...3, packets: bench.generator.sent)
            try await bench.controller.remove(route: "cam")
            #expect(try sockets(bench).isEmpty)
        }

        @Test func legsThatComeAndGoTakeTheirSocketsAlong() async throws {
            let bench = try await bench()
            var route = try ControllerBench.route("cam", to: [Self.legs[1]])
            route.engine = .afxdp
            _ = try await bench.controller.add(route, owner: .operator)
            #expect(try sockets(bench) == ["in0": 1, "out0": 1])
            let added = try await bench.controller.addLeg(
                try LegSpecification(Self.legs[0]), to: "cam", force: false)
            #expect(try sockets(bench) == ["in0": 1, "out0": 1, "out1": 1])
            try await bench.send(512)
            try await eventually {
                let good = try (1...2).map { try bench.generator.result(at: $0).good }
                return good == [512, 512] ? nil : "\(good)"
            }
            try await bench.controller.removeLeg(added.number, from: "cam")
            #expect(try sockets(bench) == ["in0": 1, "out0": 1])
        }

        @Test func comesBackWithTheDaemon() async throws {
            let bench = try await bench()
            var route = try ControllerBench.route("cam", to: Self.legs)
            route.engine = .afxdp
            _ = try await bench.controller.add(route, owner: .operator)
            try await send(bench)
            await bench.stop()
            // Without a daemon there is no worker: the kernel engine goes on, and statistics say so.
            try await eventually { try bench.flow("cam").engine == "kernel" ? nil : "a worker still beats" }
            try await send(bench)
            try await bench.start()
            #expect(try await bench.controller.route("cam").engine == "afxdp")
            try await eventually { try bench.flow("cam").engine == "afxdp" ? nil : "no worker beats" }
            try await send(bench)
            try bench.expectComplete(1...3, packets: bench.generator.sent)
        }

        @Test func isChosenByItselfForFramesTooLongToCopy() async throws {
            let bench = try await bench()
            for (namespace, names) in [
                (bench.network.node, ["in0", "out0", "out1"]), (bench.network.far, ["gen0", "sink0", "sink1"]),
            ] {
                for name in names { try namespace.run(["ip", "link", "set", name, "mtu", "9000"]) }
            }
            try await bench.add("cam", to: Self.legs)
            #expect(try await bench.controller.route("cam").engine == "kernel")
            var packet = Packet(source: "10.0.0.2", destination: "239.1.1.10")
            packet.rtp?.payload = [UInt8](repeating: 7, count: 8000)
            let index = bench.network.source.index
            // The rate, and with it the length of frames, is known after some seconds of packets.
            try await eventually(seconds: 30) {
                let first = packet
                try await bench.network.far.perform { try RawFrame.send(first.bytes, through: index) }
                packet.rtp?.sequence &+= 1
                let report = try await bench.controller.route("cam")
                return report.engine == "afxdp" ? nil : "\(report.engine): \(report.engineReason)"
            }
            #expect(try await bench.controller.route("cam").engineReason.contains("too long"))
            let before = try bench.flow("cam").legs.map(\.packets)
            let last = packet
            try await bench.network.far.perform { try RawFrame.send(last.bytes, through: index) }
            try await eventually {
                let now = try bench.flow("cam").legs.map(\.packets)
                return zip(now, before).allSatisfy { $0 == $1 + 1 } ? nil : "\(before), now \(now)"
            }
        }
    }
}
