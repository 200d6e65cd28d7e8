// Groups and reserved UDP ports: joined and left, kept from the host, and told apart by source.

import FastPath
import LoadGenerator
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite struct Sources {
        /// The groups that in0 has joined, as /proc has them.
        private func groups(_ bench: ControllerBench) throws -> String {
            try bench.network.node.run(["cat", "/proc/net/igmp", "/proc/net/igmp6"])
        }

        @Test func groupsAreJoinedAndLeft() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let (group, group6) = ("0A0101EF", "ff0e0000000000000000000000000101")
            #expect(try !groups(bench).contains(group) && !groups(bench).contains(group6))
            let report = try await bench.add("cam", to: [])
            #expect(report.membership == "joined")
            try await bench.add("six", from: "[ff0e::101]:5004@in0", to: [])
            #expect(try groups(bench).contains(group) && groups(bench).contains(group6))
            // A source filter reaches the kernel, too.
            try await bench.add("ssm", from: "232.1.1.1:5004@in0,source=10.0.0.7", to: [])
            let filters = try bench.network.node.run(["cat", "/proc/net/mcfilter"])
            #expect(filters.contains("0xe8010101 0x0a000007"), "\(filters)")
            for route in ["cam", "six", "ssm"] { try await bench.controller.remove(route: route) }
            #expect(try !groups(bench).contains(group) && !groups(bench).contains(group6))
            #expect(bench.store.names.isEmpty)
            let off = try await bench.add("off", from: "239.1.1.10:5004@in0,join=off", to: [])
            #expect(off.membership == "off")
            #expect(try !groups(bench).contains(group))
        }

        /// What a socket of the host receives of a text that was sent to it.
        private func receives(_ bench: ControllerBench, _ host: UDPSocket, udpPort: UInt16) async throws -> Bool {
            let index = bench.network.source.index
            let sender = try await bench.network.far.perform { try UDPSocket() }
            try sender.send("hello", to: ControllerBench.group, udpPort: udpPort, interfaceIndex: index)
            return host.receive(milliseconds: 300) == "hello"
        }

        @Test func aJoinedGroupNeverReachesTheHost() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let index = bench.network.ingress.index
            let host = try await bench.network.node.perform {
                try UDPSocket(address: ControllerBench.group, udpPort: 6000, interfaceIndex: index)
            }
            #expect(try await receives(bench, host, udpPort: 6000), "the host's socket works")
            try await bench.add("cam", to: [])
            // Another UDP port of the group, and of the group's guard.
            #expect(try await !receives(bench, host, udpPort: 6000))
            #expect(try bench.port("in0").dropped["drop_no_flow"] == 1)
            // Removed, it drains, and the guard stands meanwhile.
            try await bench.controller.remove(route: "cam")
            #expect(try await !receives(bench, host, udpPort: 6000))
            #expect(try bench.port("in0").dropped["drop_no_flow"] == 2)
        }

        @Test func whatStillComesAfterARemovalIsDrained() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan()
            try await bench.add("cam", to: [ControllerBench.leg(1, egress: 0, to: "239.9.9.1")])
            try bench.expect(1, egress: 0, to: IPAddress(239, 9, 9, 1))
            try await bench.send(1000)
            try await bench.controller.remove(route: "cam")
            try await bench.send(1000)
            let port = try bench.port("in0")
            #expect(port.dropped["drop_draining"] == 1000 && port.forwardedPackets == 1000)
            try bench.expectComplete([1], packets: 1000)
            #expect(try bench.snapshot().flows.isEmpty)
        }

        /// Taken away and given back while it drains, then gone for good: the host gets the group back in the end.
        @Test func aRouteThatCameBackLeavesNoGuard() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let index = bench.network.ingress.index
            // Something else holds the port, or nobody would be left to see the packets pass.
            try await bench.add("other", from: "239.1.1.99:5004@in0", to: [])
            try await bench.add("cam", to: [])
            try await bench.controller.remove(route: "cam")
            try await bench.add("cam", to: [])
            try await bench.controller.remove(route: "cam")
            let host = try await bench.network.node.perform {
                try UDPSocket(address: ControllerBench.group, udpPort: 6000, interfaceIndex: index)
            }
            // It drains for ten seconds.
            try await eventually(seconds: 25) {
                try await receives(bench, host, udpPort: 6000) ? nil : "the group's guard still stands"
            }
        }

        @Test func flowsOfOneGroupAreToldApartBySource() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            for number in 1...3 {
                let sources = ["10.0.0.2", "10.0.0.7", "10.0.0.8"]
                try await bench.add(
                    "cam\(number)", from: "239.1.1.10:5004@in0,source=\(sources[number - 1])",
                    to: [ControllerBench.leg(number, egress: 0, to: "239.9.9.\(number)")])
                try bench.expect(number, egress: 0, to: IPAddress(239, 9, 9, UInt8(number)))
            }
            for (host, packets) in [(UInt8(2), 1000), (7, 2000), (8, 3000), (9, 4000)] {
                try bench.plan(source: IPAddress(10, 0, 0, host))
                try await bench.send(packets)
            }
            let packets = try bench.snapshot().flows.map(\.packets)
            #expect(packets == [1000, 2000, 3000])
            for number in 1...3 {
                let result = try bench.generator.result(at: number)
                #expect(result.good == UInt64(1000 * number) && result.bad == 0)
            }
            #expect(try bench.port("in0").dropped["drop_wrong_source"] == 4000)
            try await eventually {
                bench.log.contains("10.0.0.9:5004 sends to") ? nil : "\(bench.log.all)"
            }
            // One of them goes: the others stay, and its packets are a wrong source's.
            try await bench.controller.remove(route: "cam1")
            try bench.plan(source: IPAddress(10, 0, 0, 7))
            try await bench.send(1000)
            #expect(try bench.flow("cam2").packets == 3000)
        }

        /// A take that changes only how the source is held or filtered must not end the flow.
        @Test(arguments: [
            ["", ",join=off"], [",source-port=4000", ",source-port=5004"], [",source=10.0.0.7", ""],
            ["", ",source=10.0.0.2"], [",source=10.0.0.7", ",source=10.0.0.2,source-port=5004"],
        ])
        func aTakeOfTheSameDestinationGoesOn(options: [String]) async throws {
            let (first, source) = ("239.1.1.10:5004@in0" + options[0], "239.1.1.10:5004@in0" + options[1])
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan()
            try await bench.add("cam", from: first, to: [ControllerBench.leg(1, egress: 0, to: "239.9.9.1")])
            try bench.expect(1, egress: 0, to: IPAddress(239, 9, 9, 1))
            let report = try await bench.controller.take(route: "cam", source: try SourceSpecification(source))
            #expect(report.specification.source.description == source)
            try await bench.send(1000)
            try bench.expectComplete([1], packets: 1000)
            #expect(try bench.flow("cam").packets == 1000)
            let isJoined = try groups(bench).contains("0A0101EF")
            #expect(isJoined == !source.contains("join=off"))
        }

        /// Nobody may end the daemon by removing a route that somebody else is taking.
        @Test func aTakeAndARemovalMayMeet() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let controller = try bench.controller
            for _ in 0..<10 {
                try await bench.add("cam", to: [])
                let source = try SourceSpecification("239.1.1.10:5006@in0")
                async let taken = controller.take(route: "cam", source: source)
                async let removed: Void = controller.remove(route: "cam")
                _ = try? await taken
                _ = try? await removed
                _ = try? await controller.remove(route: "cam")
            }
            #expect(await controller.routes().isEmpty)
        }
    }
}
