// Frames for another host: dropped where the node's own can be told, and never where they cannot.

import FastPath
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite struct HardwareAddresses {
        private static let own = MACAddress("02:00:00:00:00:01") ?? .zero
        private static let other = MACAddress("02:00:00:00:00:77") ?? .zero

        /// Sends an RTP packet to a unicast address or a group, in a frame to a hardware address.
        private func send(_ bench: ControllerBench, to destination: IPAddress, mac: MACAddress) async throws {
            var packet = Packet(source: "10.0.0.2", destination: "\(destination)")
            packet.destinationMAC = "\(mac)"
            let frame = packet.bytes
            let index = bench.network.source.index
            try await bench.network.far.perform { try RawFrame.send(frame, through: index) }
        }

        private func wrong(_ bench: ControllerBench) throws -> UInt64 {
            try bench.port("in0").dropped["drop_wrong_mac"] ?? 0
        }

        /// Expects how many packets the route has had, and how many frames were for another host.
        private func expect(
            _ bench: ControllerBench, _ route: String, packets: UInt64, wrong: UInt64,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            try await eventually(seconds: 5, sourceLocation: sourceLocation) {
                let now = (try bench.flow(route).packets, try self.wrong(bench))
                return now == (packets, wrong) ? nil : "\(route): \(now.0) packets, \(now.1) for another host"
            }
        }

        @Test func aFrameForAnotherHostIsNoPacketOfARoute() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let (address, group) = (IPAddress(10, 0, 0, 1), ControllerBench.group)
            try await bench.add("unicast", from: "10.0.0.1:5004@in0", to: [ControllerBench.leg(1, egress: 0)])
            try await bench.add("group", from: "\(group):5004@in0", to: [ControllerBench.leg(2, egress: 0)])
            for (route, destination, wrong) in [("unicast", address, UInt64(1)), ("group", group, 2)] {
                try await send(bench, to: destination, mac: Self.own)
                try await send(bench, to: destination, mac: Self.other)
                try await expect(bench, route, packets: 1, wrong: wrong)
            }
            // The next process sees it the same way.
            await bench.stop()
            try await bench.start()
            try await send(bench, to: address, mac: Self.other)
            try await send(bench, to: address, mac: Self.own)
            try await expect(bench, "unicast", packets: 2, wrong: 3)
        }

        @Test func whereAnotherInterfaceHasTheAddressAnyHostsFramesAreTaken() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            // As of a macvlan or VRRP device: the address is there, and the port's hardware address is another.
            try await bench.add("elsewhere", from: "10.1.0.1:5004@in0", to: [ControllerBench.leg(1, egress: 0)])
            try await send(bench, to: IPAddress(10, 1, 0, 1), mac: Self.other)
            try await send(bench, to: IPAddress(10, 1, 0, 1), mac: Self.own)
            try await expect(bench, "elsewhere", packets: 2, wrong: 0)
        }

        @Test func anAddressThatMovesAndAHardwareAddressThatChangesAreFollowed() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let address = IPAddress(10, 0, 0, 1)
            try await bench.add("moving", from: "10.0.0.1:5004@in0", to: [ControllerBench.leg(1, egress: 0)])
            // To its second owner first, so that it is the node's all the time.
            try bench.network.node.run(["ip", "address", "add", "10.0.0.1/32", "dev", "out0"])
            try await eventually(seconds: 5) {
                try await send(bench, to: address, mac: Self.other)
                return try bench.flow("moving").packets > 0 ? nil : "frames to another address are dropped"
            }
            try bench.network.node.run(["ip", "address", "delete", "10.0.0.1/32", "dev", "out0"])
            let before = try wrong(bench)
            try await eventually(seconds: 5) {
                try await send(bench, to: address, mac: Self.other)
                return try self.wrong(bench) > before ? nil : "frames to another address are taken"
            }
            try bench.network.node.run(["ip", "link", "set", "in0", "address", "\(Self.other)"])
            let packets = try bench.flow("moving").packets
            try await eventually(seconds: 5) {
                try await send(bench, to: address, mac: Self.other)
                return try bench.flow("moving").packets > packets ? nil : "the new address is not known"
            }
        }
    }
}
