// As many routes as a large node has: that the tables suffice, and what it costs.

import FastPath
import Glibc
import LoadGenerator
import Netlink
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite struct Scale {
        @Test func twoThousandRoutesWithFiveLegsEach() async throws {
            let bench = try await ControllerBench(egressPorts: 4, limits: FastPath.Limits())
            let controller = try bench.controller
            let routes = try (0..<2000).map { number in
                try ControllerBench.route(
                    "r\(number)", from: "239.2.\(number / 250).\(number % 250 + 1):5004@in0,join=off",
                    to: (0..<5).map { leg in
                        leg < 2
                            ? "10.1.\(leg).\(number % 200 + 10):\(20_000 + number)@out\(leg),mac=02:00:00:00:99:01"
                            : "239.\(10 + leg).\(number / 250).\(number % 250 + 1):5004@out\(leg - 1)"
                    })
            }
            let before = Self.residentKilobytes()
            var began = ContinuousClock.now
            for route in routes { _ = try await controller.add(route, owner: .operator) }
            let adding = ContinuousClock.now - began
            #expect(await controller.routes().count == 2000)
            let snapshot = try bench.snapshot()
            #expect(snapshot.flows.count == 2000 && snapshot.flows.allSatisfy { $0.legs.count == 5 })
            let grown = Self.residentKilobytes() - before
            // One of them, to see that they are not only listed.
            try bench.generator.set(
                LoadGenerator.Plan(
                    destinationMAC: try #require(MACAddress(group: IPAddress(239, 2, 5, 7))),
                    sourceMAC: bench.network.source.mac, source: IPAddress(10, 0, 0, 2),
                    destination: IPAddress(239, 2, 5, 7)))
            try await bench.send(1000)
            let flow = try #require(try bench.snapshot().flows.first { $0.packets > 0 })
            #expect(flow.route == "r1256" && flow.legs.allSatisfy { $0.packets == 1000 })
            began = ContinuousClock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for route in routes { group.addTask { try await controller.remove(route: route.name) } }
                try await group.waitForAll()
            }
            let removing = ContinuousClock.now - began
            #expect(await controller.routes().isEmpty)
            #expect(try bench.snapshot().flows.isEmpty)
            began = ContinuousClock.now
            #expect(try await controller.apply(routes.map { .add($0, owner: .operator) }).count == 2000)
            let together = ContinuousClock.now - began
            #expect(try bench.snapshot().flows.count == 2000)
            began = ContinuousClock.now
            _ = try await controller.apply(routes.map { .remove($0.name) })
            let removingTogether = ContinuousClock.now - began
            #expect(await controller.routes().isEmpty)
            print(
                "scale: 2000 routes with 10000 legs added in \(adding), removed in \(removing), as one batch in \(together) and "
                    + "\(removingTogether); \(grown) kB more resident")
        }

        private static func residentKilobytes() -> Int {
            let text = (try? Command.run(["cat", "/proc/\(getpid())/status"])) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS") }
            return line.flatMap { $0.split(separator: " ").dropFirst().first.flatMap { Int($0) } } ?? 0
        }
    }
}
