// The kernel's answers about interfaces, addresses, routes and neighbours, in namespaces with veth pairs.

import RTPWire
import TestSupport
import Testing

@testable import Netlink

/// A node with eth0 to a switch, and a host on the other side.
struct Network {
    let node: NetworkNamespace
    let peer: NetworkNamespace
    let host: NetlinkHostNetwork

    init() async throws {
        node = try NetworkNamespace("node")
        peer = try NetworkNamespace("peer")
        try node.addVeth(
            VethEnd(
                "eth0", addresses: ["10.1.0.1/24", "2001:db8::1/64"], mtu: 1600, mac: "02:00:00:00:00:01", queues: 2),
            to: VethEnd("eth0", addresses: ["10.1.0.2/24", "2001:db8::2/64"], mtu: 1600, mac: "02:00:00:00:00:02"),
            in: peer)
        host = try await node.perform { try NetlinkHostNetwork() }
    }

    func interface(_ name: String = "eth0") throws -> NetworkInterface {
        try #require(host.interfaces().first { $0.name == name })
    }

    /// Waits until the kernel's entry is as wanted.
    func waitForNeighbour(
        _ address: IPAddress, seconds: Double = 5, _ isWanted: (Neighbour?) -> Bool
    ) async throws -> Neighbour? {
        let index = try interface().index
        for _ in 0..<Int(seconds * 50) {
            let neighbour = try host.neighbour(address, interfaceIndex: index)
            if isWanted(neighbour) { return neighbour }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("\(address) is \(String(describing: try host.neighbour(address, interfaceIndex: index)))")
        return nil
    }
}

/// netdev-genl is there since Linux 6.3.
let tellsXDPFeatures = KernelRelease.isAtLeast(6, 3)

extension KernelTests {
    @Suite struct Hosts {
        @Test func interfacesTellWhatAVethIs() async throws {
            let network = try await Network()
            let eth0 = try network.interface()
            #expect(eth0.kind == "veth")
            #expect(eth0.isUp && eth0.isRunning)
            #expect(eth0.mtu == 1600)
            #expect(eth0.mac == MACAddress("02:00:00:00:00:01"))
            #expect(eth0.parentIndex == nil && eth0.vlanID == nil)
            #expect(eth0.speed == 10_000_000_000)
            #expect(eth0.driver == "veth")
            #expect(eth0.receiveQueues == 2)
            #expect(eth0.stripsVLANTags != nil)
            #expect(eth0.xdp == nil)
            if tellsXDPFeatures {
                #expect(try #require(eth0.xdpFeatures).contains([.basic, .redirect]))
            } else {
                #expect(eth0.xdpFeatures == nil)
            }
            let lo = try network.interface("lo")
            #expect(lo.index == 1 && lo.mac == nil && lo.speed == nil)
        }

        @Test func downAndWithoutCarrierDiffer() async throws {
            let network = try await Network()
            try network.peer.run(["ip", "link", "set", "eth0", "down"])
            var eth0 = try network.interface()
            #expect(eth0.isUp && !eth0.isRunning)
            try network.node.run(["ip", "link", "set", "eth0", "down"])
            eth0 = try network.interface()
            #expect(!eth0.isUp && !eth0.isRunning)
        }

        @Test func addresses() async throws {
            let network = try await Network()
            let index = try network.interface().index
            let addresses = try network.host.addresses().filter { $0.interfaceIndex == index }
            let ipv4 = try #require(addresses.first { $0.address == IPAddress("10.1.0.1") })
            #expect(ipv4.prefixLength == 24 && ipv4.scope == .global && !ipv4.isTentative && !ipv4.isDeprecated)
            let ipv6 = try #require(addresses.first { $0.address == IPAddress("2001:db8::1") })
            #expect(ipv6.prefixLength == 64 && ipv6.scope == .global && !ipv6.isTentative)
            #expect(addresses.contains { $0.address.isLinkLocalUnicast && $0.scope == .link })
            try network.node.run([
                "ip", "address", "change", "2001:db8::1/64", "dev", "eth0", "preferred_lft", "0", "valid_lft", "100",
            ])
            #expect(
                try network.host.addresses().contains { $0.address == IPAddress("2001:db8::1") && $0.isDeprecated })
        }

        @Test func nextHops() async throws {
            let network = try await Network()
            let index = try network.interface().index
            func hop(_ text: String) throws -> NextHop {
                try network.host.nextHop(to: #require(IPAddress(text)), through: index)
            }
            var answer = try hop("10.1.0.2")
            #expect(answer.address == IPAddress("10.1.0.2") && !answer.isGateway)
            #expect(answer.preferredSource == IPAddress("10.1.0.1"))
            #expect(answer.interfaceIndex == index)
            answer = try hop("2001:db8::2")
            #expect(answer.address == IPAddress("2001:db8::2") && !answer.isGateway)
            #expect(answer.preferredSource == IPAddress("2001:db8::1"))

            let unreachable = #expect(throws: NetlinkError.self) { try hop("10.9.0.1") }
            #expect(unreachable?.isUnreachable == true)
            #expect("\(try #require(unreachable))".hasPrefix("route to 10.9.0.1 through eth0: "))
            #expect(throws: NetlinkError.self) { try hop("2001:db8:9::1") }

            try network.node.run(["ip", "route", "add", "10.9.0.0/16", "via", "10.1.0.2"])
            try network.node.run(["ip", "route", "add", "10.8.0.0/16", "via", "inet6", "2001:db8::2", "dev", "eth0"])
            try network.node.run(["ip", "route", "add", "2001:db8:9::/48", "via", "2001:db8::2"])
            try network.node.run(["ip", "route", "add", "10.6.0.0/16", "via", "10.1.0.2", "mtu", "1280"])
            try network.node.run(["ip", "route", "add", "blackhole", "10.7.0.0/16"])
            #expect(try hop("10.6.0.1").mtu == 1280)
            answer = try hop("10.9.0.1")
            #expect(answer.address == IPAddress("10.1.0.2") && answer.isGateway)
            #expect(answer.preferredSource == IPAddress("10.1.0.1"))
            answer = try hop("10.8.0.1")
            #expect(answer.address == IPAddress("2001:db8::2") && answer.isGateway)
            answer = try hop("2001:db8:9::1")
            #expect(answer.address == IPAddress("2001:db8::2") && answer.isGateway)
            #expect(throws: NetlinkError.self) { try hop("10.7.0.1") }
        }

        @Test func groupsNeedNoRoute() async throws {
            let network = try await Network()
            let index = try network.interface().index
            for text in ["239.1.1.10", "ff3e::8000:1"] {
                let group = try #require(IPAddress(text))
                let answer = try network.host.nextHop(to: group, through: index)
                #expect(answer.address == group && !answer.isGateway)
                #expect(answer.preferredSource != nil)
            }
            try network.peer.run(["ip", "link", "set", "eth0", "down"])
            try network.node.run(["ip", "route", "flush", "table", "local", "ff00::/8"])
            let group = try #require(IPAddress("ff3e::8000:1"))
            let answer = try network.host.nextHop(to: group, through: index)
            #expect(answer.address == group && answer.preferredSource == IPAddress("2001:db8::1"))
        }

        @Test(arguments: ["10.1.0.1", "10.1.0.255", "255.255.255.255", "127.0.0.1", "2001:db8::1"])
        func destinationsThatNoLegMayHave(_ text: String) async throws {
            let network = try await Network()
            let index = try network.interface().index
            let address = try #require(IPAddress(text))
            let error = #expect(throws: NetlinkError.self) {
                try network.host.nextHop(to: address, through: index)
            }
            #expect(error?.isUnreachable == true)
        }

        @Test func routesThatLeaveElsewhereAreNotTaken() async throws {
            let network = try await Network()
            try network.node.addVeth(
                VethEnd("eth1", addresses: ["10.2.0.1/24"]), to: VethEnd("eth1", addresses: ["10.2.0.2/24"]),
                in: network.peer)
            let index = try network.interface().index
            let address = try #require(IPAddress("10.2.0.2"))
            #expect(throws: NetlinkError.self) { try network.host.nextHop(to: address, through: index) }
            let other = try network.interface("eth1").index
            #expect(try network.host.nextHop(to: address, through: other).address == address)
        }

        @Test(arguments: ["10.1.0.2", "2001:db8::2"])
        func neighboursResolveWithoutTraffic(_ text: String) async throws {
            let network = try await Network()
            let address = try #require(IPAddress(text))
            let index = try network.interface().index
            #expect(try network.host.neighbour(address, interfaceIndex: index) == nil)
            try network.host.keepResolved(address, interfaceIndex: index)
            let neighbour = try await network.waitForNeighbour(address) { $0?.isUsable == true }
            #expect(neighbour?.mac == MACAddress("02:00:00:00:00:02"))
            #expect(neighbour?.isManaged == true)
            try network.host.keepResolved(address, interfaceIndex: index)
            try network.host.release(address, interfaceIndex: index)
            let released = try network.host.neighbour(address, interfaceIndex: index)
            #expect(released?.isManaged == false)
            #expect(released?.mac == MACAddress("02:00:00:00:00:02"))
            try network.host.release(address, interfaceIndex: index)
        }

        @Test func absentNeighboursFailAndAreDeletedOnRelease() async throws {
            let network = try await Network()
            let address = try #require(IPAddress("10.1.0.99"))
            let index = try network.interface().index
            try network.host.keepResolved(address, interfaceIndex: index)
            let neighbour = try await network.waitForNeighbour(address, seconds: 10) { $0?.state == .failed }
            #expect(neighbour?.mac == nil && neighbour?.isUsable == false)
            try network.host.release(address, interfaceIndex: index)
            _ = try await network.waitForNeighbour(address) { $0 == nil || $0?.isManaged == false }
        }

        @Test func permanentNeighboursStayPermanent() async throws {
            let network = try await Network()
            let address = try #require(IPAddress("10.1.0.50"))
            let index = try network.interface().index
            try network.node.run([
                "ip", "neighbour", "add", "10.1.0.50", "lladdr", "02:00:00:00:00:50", "dev", "eth0", "nud", "permanent",
            ])
            try network.host.keepResolved(address, interfaceIndex: index)
            try network.host.release(address, interfaceIndex: index)
            let neighbour = try network.host.neighbour(address, interfaceIndex: index)
            #expect(neighbour?.state == .permanent && neighbour?.isUsable == true)
        }

        @Test func errorsNameWhatWasAsked() async throws {
            let network = try await Network()
            let address = try #require(IPAddress("10.1.0.2"))
            let error = #expect(throws: NetlinkError.self) {
                try network.host.keepResolved(address, interfaceIndex: 4711)
            }
            #expect("\(try #require(error))".contains("10.1.0.2 on interface 4711"))
        }

        @Test func routesTellWhereAPeerIsAndWhatIsThisNode() async throws {
            let network = try await Network()
            func route(_ address: String) throws -> HostRoute {
                try network.host.route(to: try #require(IPAddress(address)))
            }
            let eth0 = try network.interface().index
            let four = HostRoute(interfaceIndex: eth0, preferredSource: IPAddress("10.1.0.1"), isLocal: false)
            #expect(try route("10.1.0.2") == four)
            #expect(try route("2001:db8::2").preferredSource == IPAddress("2001:db8::1"))
            #expect(try route("10.1.0.1").isLocal && route("127.0.0.1").isLocal && route("2001:db8::1").isLocal)
            for unreachable in ["192.0.2.1", "10.1.0.255", "2001:db8:9::1"] {
                #expect(throws: NetlinkError.self) { try route(unreachable) }
            }
        }

        @Test func aPairIsMadeOnceRepairedAndRemovedAndNobodyElsesIsTouched() async throws {
            let network = try await Network()
            let pair = VethPair(
                near: "near0", far: "far0",
                addresses: [
                    .init(IPAddress(100, 127, 255, 1), prefixLength: 30),
                    .init(try #require(IPAddress("fd43::1")), prefixLength: 126),
                ])
            let host = network.host
            func ensure() async throws { try await network.node.perform { try host.ensurePair(pair) } }
            try await ensure()
            let (near, far) = (try network.interface("near0"), try network.interface("far0"))
            #expect(near.peerIndex == far.index && far.peerIndex == near.index && near.mtu == 9000)
            #expect(near.isUp && near.isRunning && far.isRunning && near.receiveQueues == 1)
            let features = try network.node.run(["ethtool", "-k", "near0"])
            #expect(features.contains("tx-checksumming: off") && features.contains("generic-receive-offload: on"))
            func addresses(_ interface: NetworkInterface) throws -> Set<String> {
                Set(try host.addresses().filter { $0.interfaceIndex == interface.index }.map { "\($0.address)" })
            }
            #expect(try addresses(near) == ["100.127.255.1", "fd43::1"] && addresses(far).isEmpty)
            try network.node.run(["ip", "address", "add", "10.9.0.1/24", "dev", "near0"])
            try network.node.run(["ip", "address", "add", "10.9.1.1/24", "dev", "far0"])
            try network.node.run(["ip", "address", "del", "100.127.255.1/30", "dev", "near0"])
            try network.node.run(["ip", "link", "set", "near0", "down"])
            try await ensure()
            #expect(try network.interface("near0").index == near.index && network.interface("near0").isRunning)
            #expect(try addresses(near) == ["100.127.255.1", "fd43::1"] && addresses(far).isEmpty)
            #expect(try host.removePair(near: "near0", far: "far0"))
            #expect(try !host.removePair(near: "near0", far: "far0"))
            try network.node.run(["ip", "link", "add", "near0", "type", "veth", "peer", "name", "far0"])
            #expect(try !host.removePair(near: "near0", far: "far0"))
            let error = await #expect(throws: NetlinkError.self) { try await ensure() }
            #expect(error?.code == 17 && error?.description.contains("rename or remove it") == true)
        }
    }
}
