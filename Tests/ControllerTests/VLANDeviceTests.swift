// Flows and legs on VLANs of which the host has a device: joined and resolved through it, tagged and untagged in XDP.

import FastPath
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite(
        "VLAN devices",
        .enabled(if: hasVLANDevices, "this kernel has no VLAN devices: scripts/test vm runs it on ones that have"))
    struct VLANDevices {
        /// The groups that an interface has joined, as /proc/net/igmp lists them below its line.
        private func groups(of interface: String, in bench: ControllerBench) throws -> [String] {
            let lines = try bench.network.node.run(["cat", "/proc/net/igmp"]).split(separator: "\n")
            guard
                let start = lines.firstIndex(where: {
                    $0.contains("\t\(interface) ") || $0.contains("\t\(interface)\t")
                })
            else { return [] }
            return lines[(start + 1)...].prefix { $0.hasPrefix("\t\t") }.compactMap {
                $0.split(whereSeparator: \.isWhitespace).first.map(String.init)
            }
        }

        /// A network on VLAN 100 of the ingress port, and one on VLAN 200 of the egress port, at both ends.
        private func bench() async throws -> ControllerBench {
            let bench = try await ControllerBench(egressPorts: 1)
            for (namespace, ports, host) in [
                (bench.network.node, ["in0", "out0"], 1), (bench.network.far, ["gen0", "sink0"], 2),
            ] {
                // A veth pair would carry the tag beside the frame, where XDP does not see it (veth_xdp_rcv_skb).
                for port in ports { try namespace.run(["ethtool", "-K", port, "txvlan", "off", "rxvlan", "off"]) }
                for (port, vlan) in zip(ports, [100, 200]) {
                    let device = "\(port).\(vlan)"
                    try namespace.run([
                        "ip", "link", "add", "link", port, "name", device, "type", "vlan", "id", "\(vlan)",
                    ])
                    try namespace.run(["ip", "address", "add", "10.\(vlan).0.\(host)/24", "dev", device])
                    try namespace.run(["ip", "link", "set", device, "up"])
                }
            }
            return bench
        }

        @Test(
            "a group is joined on the VLAN's device, the next hop found through the other's, and the text comes with its new tag"
        )
        func joinedAndForwarded() async throws {
            let bench = try await bench()
            let sender = try TestNetwork.interface("gen0.100", in: bench.network.far)
            let (socket, receiver, untagged) = try await bench.network.far.perform {
                (
                    try UDPSocket(), try UDPSocket(address: IPAddress(10, 200, 0, 2), udpPort: 7004),
                    try UDPSocket(address: IPAddress(10, 1, 0, 2), udpPort: 7004)
                )
            }
            var route = try ControllerBench.route(
                "cam", from: "239.1.1.10:5004@in0.100", to: ["10.200.0.2:7004@out0.200"])
            route.payload = .raw
            let report = try await bench.controller.add(route, owner: .operator)
            #expect(report.membership == "joined")
            #expect(try groups(of: "in0.100", in: bench).contains("0A0101EF"))
            #expect(try !groups(of: "in0", in: bench).contains("0A0101EF"))
            try await bench.wait(forLeg: 1, of: "cam") { $0.state == .active }
            try socket.send(
                "hello", to: ControllerBench.group, udpPort: 5004, interfaceIndex: sender.index, timeToLive: 16)
            #expect(receiver.receive(milliseconds: 5000) == "hello")
            #expect(untagged.receive(milliseconds: 200) == nil)
            #expect(try bench.flow("cam").packets == 1)
            // The same group without the tag is another flow, and there is none.
            try socket.send(
                "stray", to: ControllerBench.group, udpPort: 5004, interfaceIndex: bench.network.source.index,
                timeToLive: 16)
            #expect(receiver.receive(milliseconds: 500) == nil)
            try await bench.controller.remove(route: "cam")
            #expect(try !groups(of: "in0.100", in: bench).contains("0A0101EF"))
        }

        @Test("a VLAN's device that goes takes its leg with it, and gives it back")
        func deviceGoesAndComesBack() async throws {
            let bench = try await bench()
            try await bench.add("cam", to: ["10.200.0.2:7004@out0.200"])
            try await bench.wait(forLeg: 1, of: "cam") { $0.state == .active }
            try bench.network.node.run(["ip", "link", "delete", "out0.200"])
            try await bench.wait(forLeg: 1, of: "cam") { $0.state != .active && $0.reason != nil }
            try bench.network.node.run([
                "ip", "link", "add", "link", "out0", "name", "out0.200", "type", "vlan", "id", "200",
            ])
            try bench.network.node.run(["ip", "address", "add", "10.200.0.1/24", "dev", "out0.200"])
            try bench.network.node.run(["ip", "link", "set", "out0.200", "up"])
            try await bench.wait(forLeg: 1, of: "cam") { $0.state == .active }
        }
    }
}

/// Whether this kernel can make VLAN devices.
private let hasVLANDevices: Bool = {
    guard hasPrivileges, let namespace = try? NetworkNamespace("vlan") else { return false }
    defer { namespace.close() }
    let steps = [
        ["ip", "link", "add", "under", "type", "veth", "peer", "name", "other"],
        ["ip", "link", "add", "link", "under", "name", "under.100", "type", "vlan", "id", "100"],
    ]
    return steps.allSatisfy { (try? namespace.run($0)) != nil }
}()
