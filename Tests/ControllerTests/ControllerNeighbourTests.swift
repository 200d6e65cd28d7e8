// Legs follow the network without a restart: neighbours, links, routes, gateways, interfaces (M-14).

import FastPath
import LoadGenerator
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite struct NetworkChanges {
        /// One route with legs to the peers of the egress ports, and the generator ready.
        private func bench(_ egressPorts: Int) async throws -> ControllerBench {
            let bench = try await ControllerBench(egressPorts: egressPorts)
            try bench.plan()
            for egress in 0..<egressPorts { try bench.expect(egress + 1, egress: egress) }
            return bench
        }

        /// Sends and expects that a leg gets all of it.
        private func expectArrival(
            _ number: Int, _ bench: ControllerBench, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let before = try bench.generator.result(at: number)
            try await bench.send(1000)
            let after = try bench.generator.result(at: number)
            #expect(
                after.good - before.good == 1000 && after.bad == before.bad, "\(after)", sourceLocation: sourceLocation)
        }

        @Test func anUnresolvedLegWaitsAndStartsWhenItsNeighbourAnswers() async throws {
            let bench = try await bench(2)
            try await bench.add(
                "cam", to: [ControllerBench.leg(1, egress: 0), ControllerBench.leg(9, egress: 1, to: "10.1.1.9")])
            try await bench.wait(forLeg: 1, of: "cam") { $0.state == .active }
            let waiting = try await bench.leg(2, of: "cam")
            #expect(waiting.state == .unresolved && waiting.nextHop == "10.1.1.9")
            #expect(try #require(waiting.reason).contains("10.1.1.9 does not answer ARP on out1"))
            // The other leg does not wait for it.
            try await expectArrival(1, bench)
            try bench.expect(9, egress: 1, to: IPAddress(10, 1, 1, 9), mac: bench.network.sinks[1].mac)
            try bench.network.far.run(["ip", "address", "add", "10.1.1.9/24", "dev", "sink1"])
            try await bench.wait(forLeg: 2, of: "cam") { $0.state == .active }
            try await expectArrival(9, bench)
        }

        @Test func aNeighbourMayGetAnotherMACAddress() async throws {
            let bench = try await bench(1)
            try bench.network.far.setSysctl("net.ipv4.conf.sink0.arp_notify", 1)
            try await bench.add("cam", to: [ControllerBench.leg(1, egress: 0)])
            try await bench.wait(forLeg: 1, of: "cam") { $0.state == .active }
            try await expectArrival(1, bench)
            try bench.network.far.run(["ip", "link", "set", "sink0", "address", "02:00:00:00:77:01"])
            let mac = try #require(MACAddress("02:00:00:00:77:01"))
            try await bench.wait(forLeg: 1, of: "cam") { $0.nextHop == "10.1.0.2 at \(mac)" }
            try bench.expect(1, egress: 0, mac: mac)
            try await expectArrival(1, bench)
        }

        @Test func aLinkMayFlap() async throws {
            let bench = try await bench(2)
            try await bench.add("cam", to: (0...1).map { ControllerBench.leg($0 + 1, egress: $0) })
            for leg in 1...2 { try await bench.wait(forLeg: UInt32(leg), of: "cam") { $0.state == .active } }
            for (namespace, name) in [(bench.network.node, "out0"), (bench.network.far, "sink0")] {
                try namespace.run(["ip", "link", "set", name, "down"])
                try await bench.wait(forLeg: 1, of: "cam") { $0.state == .linkDown }
                #expect(try await bench.leg(2, of: "cam").state == .active)
                try await expectArrival(2, bench)
                try namespace.run(["ip", "link", "set", name, "up"])
                try await bench.wait(forLeg: 1, of: "cam") { $0.state == .active }
                try await expectArrival(1, bench)
            }
        }

        @Test func routesAndGatewaysAreFollowed() async throws {
            let bench = try await bench(1)
            let node = bench.network.node
            try await bench.add("cam", to: [ControllerBench.leg(5, egress: 0, to: "10.50.0.5")])
            let waiting = try await bench.leg(1, of: "cam")
            #expect(waiting.state == .unroutable)
            #expect(try #require(waiting.reason).contains("no route to 10.50.0.5 through out0"))
            try node.run(["ip", "route", "add", "10.50.0.0/24", "via", "10.1.0.2", "dev", "out0"])
            try await bench.wait(forLeg: 1, of: "cam") {
                $0.state == .active && $0.nextHop?.hasPrefix("10.1.0.2 at") == true
            }
            try bench.expect(5, egress: 0, to: IPAddress(10, 50, 0, 5), mac: bench.network.sinks[0].mac)
            try await expectArrival(5, bench)
            // Another gateway takes over.
            let mac = try #require(MACAddress("02:00:00:00:88:01"))
            try node.run(["ip", "neighbour", "add", "10.1.0.3", "lladdr", "\(mac)", "dev", "out0", "nud", "permanent"])
            try node.run(["ip", "route", "replace", "10.50.0.0/24", "via", "10.1.0.3", "dev", "out0"])
            try await bench.wait(forLeg: 1, of: "cam") { $0.nextHop == "10.1.0.3 at \(mac)" }
            try bench.expect(5, egress: 0, to: IPAddress(10, 50, 0, 5), mac: mac)
            try await expectArrival(5, bench)
            try node.run(["ip", "route", "delete", "10.50.0.0/24"])
            try await bench.wait(forLeg: 1, of: "cam") { $0.state == .unroutable }
        }

        @Test func aPeerThatFallsSilentIsSeen() async throws {
            let bench = try await bench(1)
            // The kernel's own times are half a minute.
            for (key, value) in [
                ("base_reachable_time_ms", 500), ("retrans_time_ms", 50), ("delay_first_probe_time", 1),
            ] {
                try bench.network.node.setSysctl("net.ipv4.neigh.out0.\(key)", value)
            }
            try await bench.add("cam", to: [ControllerBench.leg(1, egress: 0)])
            try await bench.wait(forLeg: 1, of: "cam") { $0.state == .active }
            try bench.network.far.setSysctl("net.ipv4.conf.sink0.arp_ignore", 8)
            try await bench.wait(forLeg: 1, of: "cam", seconds: 45) { $0.state == .unresolved }
            try await bench.send(1000)
            #expect(try bench.generator.result(at: 1).good == 0)
            #expect(try bench.port("in0").dropped["drop_no_leg"] == 1000)
            try bench.network.far.setSysctl("net.ipv4.conf.sink0.arp_ignore", 0)
            try await bench.wait(forLeg: 1, of: "cam") { $0.state == .active }
            try await expectArrival(1, bench)
        }

        @Test func anEgressInterfaceMayGoAndComeBack() async throws {
            let bench = try await bench(2)
            try await bench.add("cam", to: (0...1).map { ControllerBench.leg($0 + 1, egress: $0) })
            for leg in 1...2 { try await bench.wait(forLeg: UInt32(leg), of: "cam") { $0.state == .active } }
            try bench.network.node.run(["ip", "link", "delete", "out0"])
            try await bench.wait(forLeg: 1, of: "cam") { $0.state == .linkDown }
            try await expectArrival(2, bench)
            try bench.network.node.addVeth(
                VethEnd("out0", addresses: ["10.1.0.1/24"], mac: "02:00:00:00:01:10"),
                to: VethEnd("sink0", addresses: ["10.1.0.2/24"], mac: "02:00:00:00:01:20"), in: bench.network.far)
            let sink = try TestNetwork.interface("sink0", in: bench.network.far)
            try await bench.network.far.perform { try bench.generator.attach(.check, to: sink.index) }
            try bench.expect(1, egress: 0, sinkIndex: sink.index)
            try await bench.wait(forLeg: 1, of: "cam") { $0.state == .active }
            try await expectArrival(1, bench)
            try await expectArrival(2, bench)
        }

        @Test func theIngressInterfaceMayGoAndComeBack() async throws {
            let bench = try await bench(1)
            try await bench.add("cam", to: [ControllerBench.leg(1, egress: 0)])
            try await bench.wait(forLeg: 1, of: "cam") { $0.state == .active }
            try await expectArrival(1, bench)
            try bench.network.node.run(["ip", "link", "delete", "in0"])
            try bench.network.node.addVeth(
                VethEnd("in0", addresses: ["10.0.0.1/24"], mac: "02:00:00:00:00:01"),
                to: VethEnd("gen0", addresses: ["10.0.0.2/24"], mac: "02:00:00:00:00:02"), in: bench.network.far)
            let source = try TestNetwork.interface("gen0", in: bench.network.far)
            try await bench.network.far.perform {
                try bench.generator.attach(.check, to: source.index)
                try bench.generator.transmit(through: source.index)
            }
            try await eventually {
                let groups = try bench.network.node.run(["ip", "maddress", "show", "dev", "in0"])
                let membership = try await bench.controller.route("cam").membership
                return groups.contains("239.1.1.10") && membership == "joined" ? nil : "\(membership) \(groups)"
            }
            try await bench.wait(forLeg: 1, of: "cam") { $0.state == .active }
            try await expectArrival(1, bench)
        }
    }
}
