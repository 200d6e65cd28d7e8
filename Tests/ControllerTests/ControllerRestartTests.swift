// A new controller takes over what the last one left, while packets flow.

import FastPath
import LoadGenerator
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite struct Restarts {
        @Test func routesLegsAndCountersAreTakenOverUnderLoad() async throws {
            let bench = try await ControllerBench(egressPorts: 2)
            try bench.plan(flows: 2)
            let groups = (1...4).map { IPAddress(239, 9, 9, UInt8($0)) }
            for number in 1...4 {
                try bench.expect(number, egress: number % 2, flow: number == 4 ? 1 : 0, to: groups[number - 1])
            }
            func leg(_ number: Int) -> String {
                ControllerBench.leg(number, egress: number % 2, to: "239.9.9.\(number)")
            }
            try await bench.add("cam", to: [leg(7), leg(1), leg(2), leg(3)])
            // Numbers are not handed out again.
            try await bench.controller.removeLeg(1, from: "cam")
            try await bench.add("audio", from: "239.1.1.10:5005@in0", to: [leg(4)])
            let before = try await bench.controller.routes()
            let labels = try bench.snapshot().flows.map { $0.legs.map(\.leg) }
            let joined = bench.store.names
            let restarts = try await bench.send(1_500_000) { _ in
                await bench.stop()
                try await bench.start()
            }
            #expect(restarts > 0)
            print("restart: \(restarts) controllers under load")
            #expect(try await bench.controller.routes() == before)
            #expect(try bench.snapshot().flows.map { $0.legs.map(\.leg) } == labels)
            #expect(bench.store.names == joined)
            // Every packet is accounted for: forwarded, or refused by the ring in front of the node on a busy machine.
            let ingress = try bench.port("in0")
            let refused = try bench.generatorRefusals()
            #expect(ingress.forwardedPackets + refused == 1_500_000, "refused in front \(refused): \(ingress)")
            #expect(ingress.forwardedPackets > 750_000)
            for (route, numbers) in [("cam", 1...3), ("audio", 4...4)] {
                let flow = try bench.flow(route)
                for number in numbers {
                    let result = try bench.generator.result(at: number)
                    #expect(
                        result.good == flow.packets && result.bad == 0 && result.outOfOrder == 0,
                        "to \(number): \(result)")
                }
                for leg in flow.legs { #expect(leg.packets == flow.packets) }
            }
            let added = try await bench.controller.addLeg(try LegSpecification(leg(7)), to: "cam", force: false)
            #expect(added.number == 5)
        }

        @Test func anUnreadableJournalFileIsReportedAndTheOthersAreTakenOver() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan()
            try bench.expect(1, egress: 0, to: IPAddress(239, 9, 9, 1))
            try await bench.add("cam", to: [ControllerBench.leg(1, egress: 0, to: "239.9.9.1")])
            try await bench.add("broken", from: "239.1.1.11:5004@in0", to: [])
            await bench.stop()
            let path = "\(bench.directory.path)/routes/broken.json"
            try Command.run(["sh", "-c", "printf '{\"route\": {\"name\":' > \(path)"])
            try await bench.start()
            #expect(try await bench.controller.routes().map(\.specification.name) == ["cam"])
            #expect(bench.log.contains("warning: journal \(path): cannot be read"), "\(bench.log.all)")
            #expect(bench.log.contains("flow of route broken: nobody owns it, removed"))
            #expect(bench.store.names == ["join 239.1.1.10 on in0"])
            try await bench.send(1000)
            try bench.expectComplete([1], packets: 1000)
        }
    }
}
