// What the controller refuses: one clear line, and what is running goes on.

import FastPath
import LoadGenerator
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite struct Refusals {
        /// A bench whose route `cam` runs; afterwards it must run as before.
        private func withRoute(_ body: (ControllerBench) async throws -> Void) async throws {
            let bench = try await ControllerBench(egressPorts: 2)
            try bench.plan()
            try bench.expect(1, egress: 0, to: IPAddress(239, 9, 9, 1))
            try await bench.add("cam", to: [ControllerBench.leg(1, egress: 0, to: "239.9.9.1")])
            try await bench.send(1000)
            let before = try await bench.controller.routes()
            try await body(bench)
            #expect(try await bench.controller.routes() == before)
            try await bench.send(1000)
            try bench.expectComplete([1], packets: 2000)
        }

        private func expectRefusal(
            _ bench: ControllerBench, _ code: RoutingError.Code, _ parts: [String], from: String, to legs: [String],
            sourceLocation: SourceLocation = #_sourceLocation
        ) async {
            let error = await bench.refusal { try await bench.add("new", from: from, to: legs) }
            #expect(error?.code == code, "\(String(describing: error))", sourceLocation: sourceLocation)
            for part in parts {
                #expect(
                    error?.message.contains(part) == true, "\(String(describing: error))",
                    sourceLocation: sourceLocation)
            }
            #expect(error?.message.contains("\n") == false, sourceLocation: sourceLocation)
        }

        @Test func loopsAreRefused() async throws {
            try await withRoute { bench in
                let other = "239.1.1.20:5004@in0"
                await expectRefusal(
                    bench, .conflict, ["is the route's own source, a loop"], from: other, to: ["239.1.1.20:5004@in0"])
                await expectRefusal(
                    bench, .conflict, ["is the source of route cam, a loop"], from: other, to: ["239.1.1.10:5004@in0"])
                await expectRefusal(
                    bench, .conflict, ["10.1.0.1 is this node's own address"], from: other, to: ["10.1.0.1:5004@out0"])
                // A chain: the new route's source is what a leg of another feeds.
                await expectRefusal(
                    bench, .conflict, ["is fed by leg 1 of route cam"], from: "239.9.9.1:20001@out0", to: [])
                let error = await bench.refusal {
                    _ = try await bench.controller.addLeg(
                        try LegSpecification("239.1.1.10:5004@in0"), to: "cam", force: false)
                }
                #expect(error?.message.contains("is the route's own source") == true)
            }
        }

        @Test func clashesAreRefused() async throws {
            try await withRoute { bench in
                await expectRefusal(
                    bench, .conflict, ["its packets are those of route cam", "crosspoint leg add cam"],
                    from: "239.1.1.10:5004@in0", to: [])
                await expectRefusal(
                    bench, .conflict, ["give both routes a different source="],
                    from: "239.1.1.10:5004@in0,source=10.0.0.9", to: [])
                let error = await bench.refusal { try await bench.add("cam", from: "239.1.1.30:5004@in0", to: []) }
                #expect(error?.code == .conflict && error?.message.contains("route cam: exists already") == true)
            }
        }

        @Test func unknownAndUnfitInterfacesAreNamed() async throws {
            try await withRoute { bench in
                try bench.network.node.run(["ip", "link", "add", "br0", "type", "bridge"])
                try bench.network.node.run(["ip", "link", "set", "br0", "up"])
                try await eventually {
                    let error = await bench.refusal { try await bench.add("new", from: "239.1.1.20:5004@nic7", to: []) }
                    return error?.message.contains("br0") == true ? nil : "the bridge is not known yet"
                }
                await expectRefusal(
                    bench, .unavailable, ["interface nic7 does not exist", "this host has", "out1"],
                    from: "239.1.1.20:5004@nic7", to: [])
                for name in ["lo", "br0"] {
                    await expectRefusal(
                        bench, .unavailable, ["port \(name): the driver refuses native XDP"],
                        from: "239.1.1.20:5004@in0", to: ["239.9.9.7:5004@\(name)"])
                    await expectRefusal(
                        bench, .unavailable, ["port \(name): the driver refuses native XDP"],
                        from: "239.1.1.20:5004@\(name),join=off", to: [])
                }
                // What was begun for the refused routes is undone: nothing of theirs is in the statistics.
                #expect(try bench.snapshot().flows.map(\.route) == ["cam"])
                #expect(bench.store.names == ["join 239.1.1.10 on in0"])
            }
        }

        @Test func aForeignProgramIsRefused() async throws {
            try await withRoute { bench in
                let foreign = try await bench.network.node.perform {
                    let generator = try LoadGenerator()
                    try generator.attach(.pass, to: bench.network.egress[1].index)
                    return Holder(generator)
                }
                await expectRefusal(
                    bench, .unavailable, ["port out1: another XDP program is attached", "ip link"],
                    from: "239.1.1.20:5004@in0", to: ["239.9.9.7:5004@out1"])
                foreign.generator.detachAll()
                try await bench.add("new", from: "239.1.1.20:5004@in0", to: ["239.9.9.7:5004@out1"])
                try await bench.controller.remove(route: "new")
            }
        }

        @Test func whatALinkCannotCarryIsRefusedWithBothFigures() async throws {
            try await withRoute { bench in
                var route = try ControllerBench.route(
                    "uhd", from: "239.1.1.20:5004@in0", to: ["239.9.9.7:5004@out1", "239.9.9.8:5004@out1"])
                route.wireRate = 4_000_000_000
                _ = try await bench.controller.add(route, owner: .operator)
                // A veth says that it has 10 Gb/s: the third leg is too much.
                let leg = try LegSpecification("239.9.9.9:5004@out1")
                let error = await bench.refusal { _ = try await bench.controller.addLeg(leg, to: "uhd", force: false) }
                #expect(error?.code == .capacity)
                #expect(error?.message.contains("4.00 Gb/s") == true, "\(String(describing: error))")
                #expect(error?.message.contains("12.00 Gb/s") == true, "\(String(describing: error))")
                #expect(error?.message.contains("10.00 Gb/s") == true, "\(String(describing: error))")
                #expect(error?.message.contains("out1") == true && error?.message.contains("--force") == true)
                _ = try await bench.controller.addLeg(leg, to: "uhd", force: true)
                try await bench.controller.remove(route: "uhd")
            }
        }

        @Test(arguments: [100_000_000_000_001, UInt64.max])
        func aRateThatNoLinkHasIsRefused(rate: UInt64) async throws {
            try await withRoute { bench in
                var route = try ControllerBench.route(
                    "much", from: "239.1.1.20:5004@in0", to: ["239.9.9.7:5004@out1"])
                route.wireRate = rate
                // Not even by force: others' admission counts with it.
                route.isForced = true
                let wanted = route
                let error = await bench.refusal { _ = try await bench.controller.add(wanted, owner: .operator) }
                #expect(error?.code == .invalid)
                #expect(error?.message.contains("is more than any link carries") == true)
                // What another route asks is counted as ever.
                try await bench.add("new", from: "239.1.1.20:5004@in0", to: ["239.9.9.7:5004@out1"])
                try await bench.controller.remove(route: "new")
            }
        }

        @Test("F-11: a full table refuses one route more")
        func aFullTableIsRefused() async throws {
            let bench = try await ControllerBench(egressPorts: 1, limits: FastPath.Limits(flows: 64, legs: 64))
            var error: RoutingError?
            var added = 0
            while error == nil, added < 300 {
                let name = "r\(added)"
                error = await bench.refusal {
                    try await bench.add(
                        name, from: "239.2.0.1:\(6000 + added)@in0,join=off", to: ["239.9.9.9:\(6000 + added)@out0"])
                }
                if error == nil { added += 1 }
            }
            #expect(added >= 64 && error?.code == .capacity, "\(added): \(String(describing: error))")
            #expect(error?.message.contains("table") == true && error?.message.contains("limits") == true)
            // With one route less there is room again, as soon as its source has been silent for ten seconds.
            try await bench.controller.remove(route: "r0")
            try await eventually(seconds: 25) {
                let error = await bench.refusal {
                    try await bench.add("again", from: "239.2.0.1:5999@in0,join=off", to: ["239.9.9.9:5999@out0"])
                }
                return error?.message
            }
            #expect(try await bench.controller.routes().count == added)
        }

        /// A UDP port that another program holds stays that program's.
        @Test func aRefusedReservationLeavesNoGuard() async throws {
            try await withRoute { bench in
                let program = try await bench.network.node.perform {
                    try UDPSocket(address: IPAddress(10, 0, 0, 1), udpPort: 7000)
                }
                await expectRefusal(
                    bench, .conflict, ["UDP port 7000 of 10.0.0.1 is held by another program"],
                    from: "10.0.0.1:7000@in0", to: ["239.9.9.7:5004@out1"])
                let sender = try await bench.network.far.perform { try UDPSocket() }
                try sender.send("hello", to: IPAddress(10, 0, 0, 1), udpPort: 7000)
                let received = program.receive(milliseconds: 2000)
                let port = try bench.port("in0")
                #expect(received == "hello", "\(port)")
            }
        }
    }
}

/// Carries a generator out of the thread that made it.
final class Holder: @unchecked Sendable {
    let generator: LoadGenerator
    init(_ generator: LoadGenerator) { self.generator = generator }
}
