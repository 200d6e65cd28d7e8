// Takes that wait: a source has to send before receivers have it.

import FastPath
import LoadGenerator
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite struct Takes {
        /// The generator's packets with one timestamp.
        private static let frame = LoadGenerator.Plan(
            destinationMAC: .zero, sourceMAC: .zero, source: IPAddress(10, 0, 0, 2), destination: ControllerBench.group
        ).packetsPerFrame
        private static let leg = ControllerBench.leg(1, egress: 0, to: "239.9.9.1")

        @Test("A take to a source that does not send changes nothing, says so, and leaves nothing behind")
        func aDeadSource() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan()
            try bench.expect(1, egress: 0, to: IPAddress(239, 9, 9, 1))
            try await bench.add("cam", to: [Self.leg])
            let before = try await bench.controller.route("cam")
            let names = bench.store.names
            let dead = try SourceSpecification("239.1.1.77:5004@in0")
            let wait = try SourceWait(timeout: .milliseconds(100))
            let calls = try await bench.send(400_000) { _ in
                let refusal = await bench.refusal {
                    _ = try await bench.controller.take(route: "cam", source: dead, awaiting: wait)
                }
                #expect(refusal?.code == .unavailable)
                #expect(
                    refusal?.message
                        == "route cam: aborted, nothing has changed: no packet of 239.1.1.77:5004@in0 within 100 ms; "
                        + "check that the source sends, or --force", "\(refusal?.message ?? "")")
            }
            #expect(calls > 0)
            #expect(try await bench.controller.route("cam") == before)
            #expect(bench.store.names == names)
            let flows = try bench.snapshot().flows
            let result = try bench.generator.result(at: 1)
            #expect(flows.count == 1 && result.good == flows[0].packets && result.bad == 0, "\(flows) \(result)")
            // At once, where that is asked for.
            #expect(
                try await bench.controller.take(route: "cam", source: dead, awaiting: nil).specification.source == dead)
        }

        @Test("A source that comes late is waited for, and taken with the packets that were seen counted")
        func aLateSource() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan()
            try await bench.add("cam", from: "239.1.1.77:5004@in0", to: [Self.leg])
            let source = try SourceSpecification("239.1.1.10:5004@in0")
            let controller = try bench.controller
            async let taken = controller.take(
                route: "cam", source: source, awaiting: try SourceWait(timeout: .seconds(20)))
            try await Task.sleep(for: .milliseconds(200))
            #expect(try await controller.route("cam").specification.source != source, "it is not taken before it sends")
            // Packets, in bursts, until it is seen.
            var sent: UInt64 = 0
            while try await controller.route("cam").specification.source != source {
                try await bench.send(Self.frame, batch: 1)
                sent += UInt64(Self.frame)
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(try await taken.specification.source == source)
            #expect(bench.store.names == ["join 239.1.1.10 on in0"])
            #expect(try bench.flow("cam").packets == sent)
            try bench.expect(1, egress: 0, to: IPAddress(239, 9, 9, 1))
            try await bench.send(1000)
            #expect(try bench.generator.result(at: 1).good == 1000)
        }

        @Test("Legs of two routes change places in one batch, once both sources were seen")
        func aBatch() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan(flows: 2)
            func leg(_ number: Int) -> String { ControllerBench.leg(number, egress: 0, to: "239.9.9.\(number)") }
            let one = try ControllerBench.route("one", to: [leg(1)])
            let two = try ControllerBench.route("two", from: "239.1.1.10:5005@in0", to: [leg(2)])
            _ = try await bench.controller.apply([.add(one, owner: .operator), .add(two, owner: .operator)])
            let wait = try SourceWait(timeout: .milliseconds(50))
            var (first, second) = (one, two)
            swap(&first.legs, &second.legs)
            let refusal = await bench.refusal {
                _ = try await bench.controller.apply([.replace(first), .replace(second)], awaiting: wait)
            }
            #expect(
                refusal?.code == .unavailable && refusal?.details.count == 2, "nothing is sent yet: \(refusal as Any)")
            #expect(try await bench.controller.routes().map(\.specification) == [one, two])
            var done = false
            _ = try await bench.send(400_000) { _ in
                guard !done else { return }
                done = true
                _ = try await bench.controller.apply(
                    [.replace(first), .replace(second)], awaiting: try SourceWait(timeout: .seconds(1)))
            }
            #expect(try await bench.controller.routes().map(\.specification) == [first, second])
            try bench.expect(1, egress: 0, flow: 1, to: IPAddress(239, 9, 9, 1))
            try bench.expect(2, egress: 0, flow: 0, to: IPAddress(239, 9, 9, 2))
            try await bench.send(1000)
            for number in 1...2 { #expect(try bench.generator.result(at: number).good == 500) }
        }

        @Test("A source with another payload type than receivers have is refused, unless the leg writes its own")
        func anotherPayloadType() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan()
            try await bench.add("cam", to: [Self.leg])
            try await bench.send(100)
            var plan = LoadGenerator.Plan(
                destinationMAC: MACAddress(group: ControllerBench.group) ?? .zero, sourceMAC: bench.network.source.mac,
                source: IPAddress(10, 0, 0, 2), destination: ControllerBench.group)
            (plan.udpPort, plan.payloadType) = (5005, 97)
            try bench.generator.set(plan)
            let source = try SourceSpecification("239.1.1.10:5005@in0")
            var refusal: RoutingError?
            _ = try await bench.send(400_000) { _ in
                guard refusal == nil else { return }
                refusal = await bench.refusal {
                    _ = try await bench.controller.take(route: "cam", source: source, awaiting: try SourceWait())
                }
            }
            #expect(
                refusal?.code == .conflict && refusal?.message.contains("has payload type 97") == true,
                "\(refusal?.message ?? "")")
            #expect(try await bench.controller.route("cam").specification.source != source)
            _ = try await bench.controller.setLeg(1, of: "cam", to: try LegSpecification(Self.leg + ",pt=96"))
            var isTaken = false
            _ = try await bench.send(400_000) { _ in
                guard !isTaken else { return }
                isTaken = true
                _ = try await bench.controller.take(route: "cam", source: source, awaiting: try SourceWait())
            }
            #expect(try await bench.controller.route("cam").specification.source == source)
        }

        @Test("A route that goes while its take waits ends the take, and the source is let go")
        func removedMeanwhile() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan()
            try await bench.add("cam", from: "239.1.1.77:5004@in0", to: [Self.leg])
            let controller = try bench.controller
            let source = try SourceSpecification("239.1.1.10:5004@in0")
            async let refusal = bench.refusal {
                _ = try await controller.take(
                    route: "cam", source: source, awaiting: try SourceWait(timeout: .seconds(20)))
            }
            try await eventually(seconds: 5) { bench.store.names.count == 2 ? nil : "\(bench.store.names)" }
            try await controller.remove(route: "cam")
            for _ in 1...10 {
                try await bench.send(Self.frame, batch: 1)
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(await refusal?.code == .notFound)
            #expect(bench.store.names.isEmpty)
            #expect(await controller.routes().isEmpty)
            #expect(try bench.snapshot().flows.isEmpty)
        }

        @Test(
            "A source is seen by its frames where they have timestamps, else by its packets",
            arguments: [(false, 2, false), (false, 3, true), (true, 2, false), (true, 3, true)])
        func frames(_ countsPackets: Bool, _ frames: Int, _ isAlive: Bool) {
            var watch = SourceWatch(packets: 10, countsPackets: countsPackets)
            watch.see(packets: 10, timestamp: 7)
            #expect(!watch.hasPackets)
            for frame in 1...frames {
                // All packets of a frame have one timestamp.
                for _ in 1...5 {
                    watch.see(packets: 10 + UInt64(frame), timestamp: UInt32(frame) * 1500)
                }
            }
            #expect(watch.isAlive == isAlive)
        }

        @Test(arguments: [Duration.zero, .seconds(-1), .seconds(61)])
        func aTimeoutHasLimits(_ timeout: Duration) {
            #expect(throws: RoutingError.self) { try SourceWait(timeout: timeout) }
        }
    }
}
