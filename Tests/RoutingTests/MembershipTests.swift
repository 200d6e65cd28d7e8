// Memberships and reservations as the kernel and the network see them.

import Netlink
import RTPWire
import TestSupport
import Testing

@testable import Routing

/// A node, and a peer that hears what the node reports.
final class MembershipNetwork {
    let node: NetworkNamespace
    let peer: NetworkNamespace
    let interface: (name: String, index: UInt32)

    init() throws {
        node = try NetworkNamespace("node")
        peer = try NetworkNamespace("peer")
        try node.addVeth(
            VethEnd("eth0", addresses: ["10.1.0.1/24", "2001:db8::1/64"]),
            to: VethEnd("eth0", addresses: ["10.1.0.2/24", "2001:db8::2/64"]), in: peer)
        interface = ("eth0", try Self.index(of: "eth0", in: node))
    }

    static func index(of name: String, in namespace: NetworkNamespace) throws -> UInt32 {
        let interfaces = try namespace.perform { try NetlinkHostNetwork().interfaces() }
        return try #require(interfaces.first { $0.name == name }).index
    }

    /// The groups that the kernel is a member of, as `ip maddress` shows them.
    func groups() throws -> String { try node.run(["ip", "maddress", "show", "dev", "eth0"]) }

    /// Starts to listen for membership reports at the peer.
    func listen() throws -> Command {
        // An MLD report stands behind a hop-by-hop header, where "icmp6" does not look.
        let filter = "igmp or ip6 proto 0"
        let tcpdump = try peer.start(["tcpdump", "-i", "eth0", "-l", "-n", "-vv", "--immediate-mode", filter])
        try tcpdump.waitForOutput(containing: "listening on")
        return tcpdump
    }
}

extension MembershipSuite {
    @Suite struct Memberships {
        @Test func joinsAreReportedAndLeftOnClose() throws {
            let network = try MembershipNetwork()
            let group = try #require(IPAddress("239.1.1.10"))
            let interface = network.interface
            let reports = try network.listen()
            var socket: HeldSocket? = try network.node.perform {
                try Membership.join(group: group, interface: interface)
            }
            #expect(socket.map { "\($0.key)" } == "join 239.1.1.10 on eth0")
            try reports.waitForOutput(containing: "gaddr 239.1.1.10 to_ex { }")
            #expect(try network.groups().contains("239.1.1.10"))
            socket = nil
            try reports.waitForOutput(containing: "gaddr 239.1.1.10 to_in { }")
            #expect(try !network.groups().contains("239.1.1.10"))
        }

        @Test func sourcesAreReported() throws {
            let network = try MembershipNetwork()
            let interface = network.interface
            let reports = try network.listen()
            let group = try #require(IPAddress("232.1.1.10"))
            let source = try #require(IPAddress("10.1.0.7"))
            let first = try network.node.perform {
                try Membership.join(group: group, source: source, interface: interface)
            }
            try reports.waitForOutput(containing: "gaddr 232.1.1.10 allow { 10.1.0.7 }")
            let group6 = try #require(IPAddress("ff3e::8000:1"))
            let source6 = try #require(IPAddress("2001:db8::7"))
            let second = try network.node.perform {
                try Membership.join(group: group6, source: source6, interface: interface)
            }
            try reports.waitForOutput(containing: "gaddr ff3e::8000:1 allow { 2001:db8::7 }")
            #expect("\(second.key)" == "join ff3e::8000:1 source 2001:db8::7 on eth0")
            // Joined already: nothing happens.
            try Membership.renew(first, interfaceIndex: interface.index)
            try Membership.renew(second, interfaceIndex: interface.index)
        }

        @Test func moreGroupsThanOneSocketMayJoin() throws {
            let network = try MembershipNetwork()
            let interface = network.interface
            let sockets = try network.node.perform {
                try (1...100).map { try Membership.join(group: IPAddress(239, 2, 0, $0), interface: interface) }
            }
            #expect(try network.groups().split(separator: "\n").count { $0.contains("239.2.0.") } == sockets.count)
        }

        @Test func renewedAfterTheInterfaceWasMadeAgain() throws {
            let network = try MembershipNetwork()
            let interface = network.interface
            let group = try #require(IPAddress("239.1.1.10"))
            let socket = try network.node.perform { try Membership.join(group: group, interface: interface) }
            try network.node.run(["ip", "link", "delete", "eth0"])
            let error = #expect(throws: RoutingError.self) {
                try Membership.renew(socket, interfaceIndex: interface.index)
            }
            #expect(error?.code == .unavailable)
            try network.node.addVeth(
                VethEnd("eth0", addresses: ["10.1.0.1/24"]), to: VethEnd("eth0"), in: network.peer)
            #expect(try !network.groups().contains("239.1.1.10"))
            let index = try MembershipNetwork.index(of: "eth0", in: network.node)
            #expect(index != interface.index)
            try Membership.renew(socket, interfaceIndex: index)
            #expect(try network.groups().contains("239.1.1.10"))
        }

        @Test func mistakesAreNamed() throws {
            let network = try MembershipNetwork()
            let interface = network.interface
            let group = IPAddress(239, 1, 1, 10)
            func refusal(
                _ group: IPAddress, _ source: IPAddress?, _ interface: (name: String, index: UInt32)
            ) throws -> RoutingError? {
                try network.node.perform {
                    do throws(RoutingError) {
                        _ = try Membership.join(group: group, source: source, interface: interface)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            #expect(try refusal(IPAddress(10, 0, 0, 1), nil, interface)?.code == .invalid)
            #expect(try refusal(group, IPAddress("2001:db8::7"), interface)?.code == .invalid)
            #expect(try refusal(group, nil, ("eth9", 4711))?.code == .unavailable)
            #expect(try refusal(group, nil, ("eth9", 0))?.code == .unavailable)
        }
    }

    @Suite struct Reservations {
        @Test(arguments: ["10.1.0.1", "2001:db8::1"])
        func nobodyElseGetsTheUDPPort(_ text: String) throws {
            let network = try MembershipNetwork()
            let address = try #require(IPAddress(text))
            try network.node.perform {
                var first: HeldSocket? = try UDPPortReservation.reserve(address: address, udpPort: 5004)
                #expect(first.map { "\($0.key)" } == "reserve \(address.bracketed):5004")
                let error = #expect(throws: RoutingError.self) {
                    try UDPPortReservation.reserve(address: address, udpPort: 5004)
                }
                #expect(error?.code == .conflict)
                #expect(error?.message.hasPrefix("UDP port 5004 of \(address) is held by another program") == true)
                first = nil
                _ = try UDPPortReservation.reserve(address: address, udpPort: 5004)
            }
        }

        @Test func familiesDoNotCollide() throws {
            let network = try MembershipNetwork()
            try network.node.perform {
                let any6 = try UDPPortReservation.reserve(address: .unspecified, udpPort: 5004)
                let any4 = try UDPPortReservation.reserve(address: IPAddress(0, 0, 0, 0), udpPort: 5004)
                withExtendedLifetime((any6, any4)) {}
            }
        }

        @Test func linkLocalAddressesNeedAnInterface() throws {
            let network = try MembershipNetwork()
            let interface = network.interface
            try network.node.run(["ip", "address", "add", "fe80::1/64", "dev", "eth0", "nodad"])
            try network.node.perform {
                let address = try #require(IPAddress("fe80::1"))
                #expect(throws: RoutingError.self) {
                    try UDPPortReservation.reserve(address: address, udpPort: 5004)
                }
                let socket = try UDPPortReservation.reserve(address: address, udpPort: 5004, interface: interface)
                #expect("\(socket.key)" == "reserve [fe80::1]:5004 on eth0")
            }
        }

        @Test func aFreeUDPPortIsNamed() throws {
            let network = try MembershipNetwork()
            try network.node.perform {
                let socket = try UDPPortReservation.reserve(address: IPAddress(10, 1, 0, 1), udpPort: 0)
                guard case .reserve(_, let udpPort, _) = socket.key else {
                    Issue.record("\(socket.key)")
                    return
                }
                #expect(udpPort != 0)
            }
        }

        @Test func foreignAddressesAreNamed() throws {
            let network = try MembershipNetwork()
            try network.node.perform {
                let error = #expect(throws: RoutingError.self) {
                    try UDPPortReservation.reserve(address: IPAddress(10, 9, 9, 9), udpPort: 5004)
                }
                #expect(error?.code == .unavailable)
                #expect(error?.message.contains("10.9.9.9 is not an address of this node") == true)
            }
        }
    }
}
