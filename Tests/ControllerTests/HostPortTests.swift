// The host port: programs of the node receive from and send into the fast path.

import FastPath
import FoundationEssentials
import LoadGenerator
import Netlink
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite("Host port")
    struct HostPorts {
        private static let packets = 10_000

        private func node<T: Sendable>(_ bench: ControllerBench, _ body: @escaping @Sendable () throws -> T)
            async throws -> T
        {
            try await bench.network.node.perform(body)
        }

        @Test("plain sockets receive a routed stream there, IPv4 and IPv6, a burst without loss")
        func receiving() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let port = try await bench.controller.hostPort()
            #expect(port.hostIPv4 == IPAddress(100, 127, 255, 1) && port.fastPathIPv6 == IPAddress("fd43:7270:6873::2"))
            let (four, six) = try await node(bench) {
                (
                    try PlainSocket(address: port.hostIPv4, udpPort: 6004),
                    try PlainSocket(address: port.hostIPv6, udpPort: 6004)
                )
            }
            try bench.plan()
            try bench.expect(1, egress: 0, to: IPAddress(239, 9, 9, 1))
            let report = try await bench.add(
                "cam",
                to: [
                    "100.127.255.1:6004@host", "[fd43:7270:6873::1]:6004@host",
                    ControllerBench.leg(1, egress: 0, to: "239.9.9.1"),
                ])
            #expect(report.legs.map(\.state) == [.active, .active, .active])
            try await bench.send(Self.packets)
            let came = try bench.flow("cam").packets
            #expect(came == UInt64(Self.packets))
            let received = (four.receiveAll(), six.receiveAll())
            #expect(received.0.count == Self.packets && received.1.count == Self.packets)
            #expect(received.0 == received.1)
            try bench.expectComplete([1], packets: UInt64(Self.packets))
        }

        @Test("what plain sockets send into it is forwarded, each family to a leg of each, a burst without loss")
        func sending() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let controller = try bench.controller
            let port = try await controller.hostPort()
            let far6 = try #require(IPAddress("2001:db8:1::2"))
            let ends = try await bench.network.far.perform {
                try [7004, 7006].map { udpPort in
                    (
                        try PlainSocket(address: IPAddress(10, 1, 0, 2), udpPort: udpPort),
                        try PlainSocket(address: far6, udpPort: udpPort)
                    )
                }
            }
            let (four, six) = try await node(bench) {
                (
                    try PlainSocket(address: port.hostIPv4, udpPort: 7000),
                    try PlainSocket(address: port.hostIPv6, udpPort: 7000)
                )
            }
            let routes = [("four", "100.127.255.2:7000@host", 7004), ("six", "[fd43:7270:6873::2]:7000@host", 7006)]
            for (name, from, udpPort) in routes {
                let report = try await bench.add(
                    name, from: from, to: ["10.1.0.2:\(udpPort)@out0", "[2001:db8:1::2]:\(udpPort)@out0"])
                #expect(report.membership == "off")
                for leg in UInt32(1)...2 { try await bench.wait(forLeg: leg, of: name) { $0.state == .active } }
            }
            let packets = (0..<Self.packets).map { number in
                RTPPacket(sequence: UInt16(number), payload: [UInt8](repeating: UInt8(number % 251), count: 1300)).bytes
            }
            try await node(bench) {
                for packet in packets {
                    try four.send(packet, to: port.fastPathIPv4, udpPort: 7000)
                    try six.send(packet, to: port.fastPathIPv6, udpPort: 7000)
                }
            }
            for (index, (name, _, _)) in routes.enumerated() {
                let flow = try bench.flow(name)
                #expect(flow.packets == UInt64(Self.packets) && flow.rtp?.lostPackets == 0, "\(name)")
                #expect(ends[index].0.receiveAll() == packets, "\(name) to IPv4")
                #expect(ends[index].1.receiveAll() == packets, "\(name) to IPv6")
            }
            // What has no flow is dropped, and not routed round and round.
            try await node(bench) { try four.send([1], to: port.fastPathIPv4, udpPort: 9) }
            #expect(try bench.port("host").dropped["drop_no_flow"] == 1)
        }

        @Test("a restart takes it over and repairs it, with the media going on; 'crosspoint unload' removes it")
        func restart() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let port = try await bench.controller.hostPort()
            let socket = try await node(bench) { try PlainSocket(address: port.hostIPv4, udpPort: 6004) }
            try bench.plan()
            try await bench.add("cam", to: ["100.127.255.1:6004@host"])
            func end() throws -> NetworkInterface? {
                try bench.network.node.perform {
                    try NetlinkHostNetwork().interfaces().first { $0.name == "crosspoint0" }
                }
            }
            let before = try #require(try end())
            await bench.stop()
            try await bench.send(1000)
            try bench.network.node.run(["ip", "address", "del", "fd43:7270:6873::1/126", "dev", "crosspoint0"])
            try bench.network.node.run(["ip", "link", "set", "crosspoint0", "arp", "on"])
            try await bench.start()
            #expect(try end()?.index == before.index)
            let text = try bench.network.node.run(["ip", "address", "show", "dev", "crosspoint0"])
            #expect(text.contains("fd43:7270:6873::1/126") && text.contains("NOARP"), "\(text)")
            #expect(try bench.network.node.run(["ip", "-o", "address", "show", "dev", "crosspoint1"]).isEmpty)
            try await bench.send(1000)
            #expect(socket.receiveAll().count == 2000)
            await bench.stop()
            let file = "\(bench.directory.path)/crosspoint.yaml"
            let configuration =
                "node: test\nbpffs: \(bench.folder.pins.path)\nruntime-directory: \(bench.directory.path)\n"
            try configuration.write(toFile: file, atomically: true, encoding: .utf8)
            try bench.network.node.run([try BuiltProducts.path(of: "crosspoint"), "unload", "--config", file])
            #expect(try end() == nil)
        }

        @Test("removed by somebody, it is made again, and its routes go on")
        func removal() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let port = try await bench.controller.hostPort()
            try bench.plan()
            try await bench.add("cam", to: ["100.127.255.1:6004@host"])
            try bench.network.node.run(["ip", "link", "del", "crosspoint0"])
            try await eventually {
                let isBack = bench.log.contains("was removed, made again")
                guard isBack else { return "\(bench.log.all)" }
                let leg = try await bench.leg(1, of: "cam")
                return leg.state == .active ? nil : "\(leg)"
            }
            let socket = try await node(bench) { try PlainSocket(address: port.hostIPv4, udpPort: 6004) }
            try await bench.send(1000)
            #expect(socket.receiveAll().count == 1000)
        }

        @Test("names and subnets that are somebody else's are refused, with the remedy")
        func refusals() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let controller = try bench.controller
            try bench.network.node.run(["ip", "link", "add", "crosspoint1", "type", "veth", "peer", "name", "other"])
            let taken = await bench.refusal { _ = try await controller.hostPort() }
            #expect(
                taken?.code == .unavailable && taken?.message.contains("crosspoint1 is there") == true,
                "\(taken as Any)")
            try bench.network.node.run(["ip", "link", "del", "other"])
            try bench.network.node.run(["ip", "address", "add", "100.127.0.1/16", "dev", "out0"])
            let overlap = await bench.refusal { _ = try await controller.hostPort() }
            #expect(
                overlap?.message.contains("overlaps that of out0, 100.127.0.1/16") == true, "\(overlap as Any)")
            try bench.network.node.run(["ip", "address", "del", "100.127.0.1/16", "dev", "out0"])
            #expect(await bench.refusal { _ = try await controller.hostPort() } == nil)
            for (text, word) in [
                ("10.1.0.2:5004@host", "100.127.255.1"), ("100.127.255.2:5004@host", "100.127.255.1"),
                ("100.127.255.1:5004@host.100", "no VLANs"),
            ] {
                let refusal = await bench.refusal { try await bench.add("cam", to: [text]) }
                #expect(refusal?.code == .invalid && refusal?.message.contains(word) == true, "\(refusal as Any)")
            }
            let source = await bench.refusal { try await bench.add("cam", from: "10.0.0.1:5004@host", to: []) }
            #expect(source?.code == .invalid && source?.message.contains("100.127.255.2") == true)
        }

        @Test("peers are found by the routing table, and this node itself at the host port")
        func attachments() async throws {
            let bench = try await ControllerBench(egressPorts: 2)
            let controller = try bench.controller
            func towards(_ peer: String) async throws -> NetworkAttachment {
                try await controller.attachment(towards: try #require(IPAddress(peer)))
            }
            func attachment(_ address: String, _ port: String, isLocal: Bool = false) throws -> NetworkAttachment {
                NetworkAttachment(
                    address: try #require(IPAddress(address)), port: try PortReference(port), isLocal: isLocal)
            }
            #expect(try await towards("10.0.0.2") == attachment("10.0.0.1", "in0"))
            #expect(try await towards("10.1.1.2") == attachment("10.1.1.1", "out1"))
            #expect(try await towards("2001:db8:1:1::2") == attachment("2001:db8:1:1::1", "out1"))
            #expect(try await towards("127.0.0.1") == attachment("100.127.255.2", "host", isLocal: true))
            #expect(try await towards("10.1.0.1") == attachment("100.127.255.2", "host", isLocal: true))
            #expect(try await towards("::1") == attachment("fd43:7270:6873::2", "host", isLocal: true))
            #expect(try await controller.attachment(of: IPAddress(10, 1, 0, 1)) == attachment("10.1.0.1", "out0"))
            #expect(
                try await controller.attachment(of: IPAddress(100, 127, 255, 1))
                    == attachment("100.127.255.2", "host", isLocal: true))
            #expect(await bench.refusal { _ = try await towards("192.0.2.1") }?.code == .unavailable)
            let unknown = await bench.refusal { _ = try await controller.attachment(of: IPAddress(10, 1, 0, 2)) }
            #expect(unknown?.code == .notFound)
        }

        @Test("a VLAN device is its port and the VLAN on it")
        func vlanDevices() {
            var view = NetworkView()
            view.set(NetworkInterface(index: 1, name: "eth0"))
            let outer = NetworkInterface(index: 2, name: "trunk", kind: "vlan", parentIndex: 1, vlanID: 300)
            let inner = NetworkInterface(index: 3, name: "studio", kind: "vlan", parentIndex: 2, vlanID: 5)
            view.set(outer)
            view.set(inner)
            #expect(view.reference(to: outer) == PortReference(interface: "eth0", vlans: [300]))
            #expect(view.reference(to: inner) == PortReference(interface: "eth0", vlans: [300, 5]))
        }
    }
}
