// Netlink's messages byte by byte, as the kernel writes them on a little-endian machine.

import RTPWire
import Testing

@testable import Netlink

@Suite struct WireTests {
    /// A VLAN device: `eth0.100@eth0`, up, with an XDP program.
    static let link: [UInt8] = [
        0, 0, 1, 0,  // ifi_family AF_UNSPEC, padding, ifi_type ARPHRD_ETHER
        7, 0, 0, 0,  // ifi_index 7
        0x43, 0, 1, 0,  // ifi_flags UP, BROADCAST, RUNNING, LOWER_UP
        0, 0, 0, 0,  // ifi_change
        13, 0, 3, 0,  // length 13, IFLA_IFNAME
        0x65, 0x74, 0x68, 0x30, 0x2e, 0x31, 0x30, 0x30,  // "eth0.100"
        0, 0, 0, 0,  // its end, padding
        8, 0, 4, 0, 0xdc, 5, 0, 0,  // IFLA_MTU 1500
        10, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 0,  // IFLA_ADDRESS 02:00:00:00:00:01, padding
        8, 0, 5, 0, 2, 0, 0, 0,  // IFLA_LINK 2
        8, 0, 32, 0, 4, 0, 0, 0,  // IFLA_NUM_RX_QUEUES 4
        28, 0, 18, 0,  // IFLA_LINKINFO
        9, 0, 1, 0, 0x76, 0x6c, 0x61, 0x6e, 0, 0, 0, 0,  // IFLA_INFO_KIND "vlan", padding
        12, 0, 2, 0,  // IFLA_INFO_DATA
        6, 0, 1, 0, 100, 0, 0, 0,  // IFLA_VLAN_ID 100, padding
        20, 0, 43, 0x80,  // IFLA_XDP, with the flag that says "nested"
        5, 0, 2, 0, 1, 0, 0, 0,  // IFLA_XDP_ATTACHED XDP_ATTACHED_DRV, padding
        8, 0, 4, 0, 42, 0, 0, 0,  // IFLA_XDP_PROG_ID 42
    ]

    @Test func vlanDevice() throws {
        let interface = try #require(LinkMessage.interface(Self.link[...]))
        #expect(
            interface
                == NetworkInterface(
                    index: 7, name: "eth0.100", kind: "vlan", isUp: true, isRunning: true, mtu: 1500,
                    mac: MACAddress("02:00:00:00:00:01"), parentIndex: 2, vlanID: 100, receiveQueues: 4,
                    xdp: XDPAttachment(programID: 42, mode: .native)))
    }

    @Test func linksOfABridgeAreNoInterfaces() {
        var bytes = Self.link
        bytes[0] = 7  // AF_BRIDGE
        #expect(LinkMessage.interface(bytes[...]) == nil)
        #expect(LinkMessage.index(bytes[...]) == nil)
    }

    @Test func deprecatedAddress() throws {
        let bytes: [UInt8] = [
            10, 64, 0x80, 0,  // AF_INET6, /64, the low eight bits of the flags, RT_SCOPE_UNIVERSE
            3, 0, 0, 0,  // ifa_index 3
            20, 0, 1, 0,  // IFA_ADDRESS
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
            8, 0, 8, 0, 0x20, 1, 0, 0,  // IFA_FLAGS MANAGETEMPADDR, DEPRECATED
        ]
        let address = try #require(AddressMessage.address(bytes[...]))
        #expect(
            address
                == InterfaceAddress(
                    interfaceIndex: 3, address: try #require(IPAddress("2001:db8::1")), prefixLength: 64,
                    isDeprecated: true))
    }

    @Test func pointToPointAddressIsTheLocalOne() throws {
        let bytes: [UInt8] = [
            2, 32, 0, 253,  // AF_INET, /32, no flags, RT_SCOPE_LINK
            3, 0, 0, 0,  // ifa_index 3
            8, 0, 1, 0, 10, 0, 0, 2,  // IFA_ADDRESS 10.0.0.2, the other end
            8, 0, 2, 0, 10, 0, 0, 1,  // IFA_LOCAL 10.0.0.1
        ]
        let address = try #require(AddressMessage.address(bytes[...]))
        #expect(address.address == IPAddress(10, 0, 0, 1) && address.scope == .link)
    }

    static let neighbour: [UInt8] = [
        2, 0, 0, 0,  // ndm_family AF_INET, padding
        3, 0, 0, 0,  // ndm_ifindex 3
        2, 0, 0, 1,  // ndm_state REACHABLE, no flags, RTN_UNICAST
        8, 0, 1, 0, 10, 1, 0, 2,  // NDA_DST 10.1.0.2
        10, 0, 2, 0, 2, 0, 0, 0, 0, 2, 0, 0,  // NDA_LLADDR 02:00:00:00:00:02, padding
        8, 0, 15, 0, 1, 0, 0, 0,  // NDA_FLAGS_EXT MANAGED
    ]

    @Test func managedNeighbour() {
        #expect(
            NeighbourMessage.neighbour(Self.neighbour[...])
                == Neighbour(
                    address: IPAddress(10, 1, 0, 2), interfaceIndex: 3, mac: MACAddress("02:00:00:00:00:02"),
                    state: .reachable, isManaged: true))
    }

    @Test(
        arguments: [
            (0x00, false), (0x01, false), (0x02, true), (0x04, true), (0x08, true), (0x10, true), (0x20, false),
            (0x40, true), (0x80, true),
        ] as [(UInt8, Bool)])
    func usableStates(_ state: UInt8, _ isUsable: Bool) throws {
        var bytes = Self.neighbour
        bytes[8] = state
        #expect(try #require(NeighbourMessage.neighbour(bytes[...])).isUsable == isUsable)
    }

    @Test func forwardingEntriesAreNoNeighbours() {
        var bytes = Self.neighbour
        bytes[0] = 7  // AF_BRIDGE
        #expect(NeighbourMessage.neighbour(bytes[...]) == nil)
    }

    @Test func routeByWayOfTheOtherFamily() {
        let bytes: [UInt8] = [
            2, 32, 0, 0,  // AF_INET, /32, no source, no TOS
            254, 0, 0, 1,  // table main, RTPROT_UNSPEC, RT_SCOPE_UNIVERSE, RTN_UNICAST
            0, 0, 0, 0,  // flags
            8, 0, 4, 0, 3, 0, 0, 0,  // RTA_OIF 3
            22, 0, 18, 0,  // RTA_VIA
            10, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0,  // AF_INET6, fe80::9, padding
            8, 0, 7, 0, 10, 1, 0, 1,  // RTA_PREFSRC 10.1.0.1
        ]
        #expect(
            RouteMessage.answer(bytes[...])
                == RouteMessage.Answer(
                    type: 1, interfaceIndex: 3, gateway: IPAddress("fe80::9"),
                    preferredSource: IPAddress(10, 1, 0, 1)))
    }

    @Test func requestForAManagedNeighbour() {
        let request = NeighbourMessage.manage(IPAddress(10, 1, 0, 2), interfaceIndex: 3)
        #expect(
            request.bytes == [
                44, 0, 0, 0,  // length
                28, 0, 5, 5,  // RTM_NEWNEIGH, REQUEST ACK REPLACE CREATE
                0, 0, 0, 0, 0, 0, 0, 0,  // sequence, sender
                2, 0, 0, 0,  // AF_INET, padding
                3, 0, 0, 0,  // ndm_ifindex 3
                0, 0, 1, 0,  // no state, NTF_USE
                8, 0, 1, 0, 10, 1, 0, 2,  // NDA_DST 10.1.0.2
                8, 0, 15, 0, 1, 0, 0, 0,  // NDA_FLAGS_EXT MANAGED
            ])
    }

    @Test func datagramOfTwoMessages() throws {
        let bytes: [UInt8] = [
            18, 0, 0, 0, 16, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xaa, 0xbb, 0, 0,  // 18 bytes, padded
            16, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,  // NLMSG_DONE
        ]
        let messages = try #require(NetlinkMessage.messages(in: bytes[...]))
        #expect(messages.map(\.type) == [16, 3])
        #expect(Array(messages[0].payload) == [0xaa, 0xbb])
    }

    @Test func refusalInTheKernelsWords() {
        let message = NetlinkMessage(
            type: 2, flags: 0x200, sequence: 1,
            payload: [
                0xea, 0xff, 0xff, 0xff,  // -EINVAL
                44, 0, 0, 0, 28, 0, 5, 5, 1, 0, 0, 0, 0, 0, 0, 0,  // the request's header
                8, 0, 1, 0, 0x62, 0x61, 0x64, 0,  // NLMSGERR_ATTR_MSG "bad"
            ])
        let error = #expect(throws: NetlinkError.self) { try NetlinkSocket.check(message, operation: "try") }
        #expect(error == NetlinkError(operation: "try", code: 22, detail: "bad"))
        #expect(error?.description == "try: bad (Invalid argument)")
    }

    /// No prefix and no flipped byte may trap.
    @Test(arguments: [link, neighbour])
    func damagedMessages(_ bytes: [UInt8]) {
        func readAll(_ bytes: [UInt8]) {
            _ = NetlinkMessage.messages(in: bytes[...])
            _ = LinkMessage.interface(bytes[...])
            _ = AddressMessage.address(bytes[...])
            _ = NeighbourMessage.neighbour(bytes[...])
            _ = RouteMessage.answer(bytes[...])
            _ = GenericMessage.familyNumber(bytes[...])
            _ = GenericMessage.features(bytes[...])
        }
        for length in 0...bytes.count { readAll(Array(bytes.prefix(length))) }
        for index in bytes.indices {
            for value in [0, 1, 3, 4, 0x7f, 0x80, 0xff] as [UInt8] {
                var damaged = bytes
                damaged[index] = value
                readAll(damaged)
            }
        }
    }
}
