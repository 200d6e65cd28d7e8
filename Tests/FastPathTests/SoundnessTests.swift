// Packets of a flow that no router sends on: dropped by name, on both ways through ingress and for both engines.

import FastPath
import RTPWire
import TestSupport
import Testing

extension FastPathSuite {
    @Suite("Packets that are not sound")
    struct SoundnessTests {
        /// How a flow's packets go: the short way, the long way, and to a worker.
        enum Way: CaseIterable, Sendable {
            case short, long, worker

            var parameters: FlowParameters {
                var parameters = TestBench.plain
                // Whatever the short way does not do.
                if self == .long { parameters.verifiesChecksum = true }
                if self == .worker { parameters.engine = .afxdp }
                return parameters
            }
        }

        struct Case: CustomTestStringConvertible, Sendable {
            var testDescription: String
            var reason: String?
            var packet: Packet

            init(_ description: String, _ reason: String?, _ packet: Packet, _ change: (inout Packet) -> Void) {
                testDescription = description
                self.reason = reason
                self.packet = packet
                change(&self.packet)
            }
        }

        private static let v4 = Packet()
        private static let unicast = Packet(destination: "10.1.0.1")
        private static let v6 = Packet.ipv6()
        private static let unicast6 = Packet.ipv6(destination: "2001:db8:1::1")

        private static func sources(_ addresses: [String], _ reason: String?, _ packet: Packet) -> [Case] {
            addresses.map { address in Case("from \(address)", reason, packet) { $0.source = address } }
        }

        private static func macs(_ addresses: [String], _ reason: String?, _ packet: Packet) -> [Case] {
            addresses.map { address in
                Case("\(packet.destination) to \(address)", reason, packet) { $0.destinationMAC = address }
            }
        }

        static let cases: [Case] = [
            sources(
                [
                    "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.0.9", "224.0.0.1", "239.1.1.10", "240.0.0.1",
                    "255.255.255.255",
                ],
                "drop_martian_source", v4),
            sources(["1.0.0.1", "126.255.255.255", "128.0.0.1", "223.255.255.255", "169.254.1.1"], nil, v4),
            sources(["::", "::1", "ff02::1", "ff3e::1:10"], "drop_martian_source", v6),
            sources(["::2", "fe80::1", "0:0:0:1::1", "::1:0:0:1"], nil, v6),
            sources(["::ffff:10.1.0.7"], "drop_mapped_address", v6),
            sources(["::fffe:10.1.0.7", "1::ffff:10.1.0.7"], nil, v6),
            // A group's packets come to its own hardware address, or to the port's (RFC 6085).
            macs(
                ["ff:ff:ff:ff:ff:ff", "01:00:5e:01:01:0b", "33:33:00:01:00:10", "01:80:c2:00:00:0e"], "drop_wrong_mac",
                v4),
            macs(["02:00:00:00:00:01"], nil, v4),
            macs(["ff:ff:ff:ff:ff:ff", "33:33:00:01:00:11", "01:00:5e:01:01:0a"], "drop_wrong_mac", v6),
            macs(["02:00:00:00:00:01"], nil, v6),
            // So do not those to the node itself, also where the last bits agree.
            macs(["ff:ff:ff:ff:ff:ff", "01:00:5e:01:00:01", "03:00:00:00:00:01"], "drop_wrong_mac", unicast),
            macs(["02:00:00:00:00:01"], nil, unicast),
            macs(["ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01"], "drop_wrong_mac", unicast6),
            macs(["02:00:00:00:00:01"], nil, unicast6),
            [1, 0x8000, 0xfffe].map { error in
                Case("a header checksum that is \(error) too large", "drop_bad_header_checksum", v4) {
                    $0.headerChecksumError = error
                }
            },
            // 0xffff is 0 in ones' complement.
            [Case("a header checksum of the other zero", nil, v4) { $0.headerChecksumError = 0xffff }],
        ].flatMap(\.self)

        /// A bench with a flow for each kind of packet.
        private func bench(_ way: Way, comesToOwnMAC: Bool = false) throws -> TestBench {
            let bench = try TestBench()
            for (packet, leg) in [
                (Self.v4, "10.2.0.5"), (Self.unicast, "10.2.0.5"), (Self.v6, "2001:db8:2::5"),
                (Self.unicast6, "2001:db8:2::5"),
            ] {
                let flow = try bench.route(for: packet, way.parameters, legs: [bench.leg(leg)])
                try bench.thread.run { bench.fastPath.setComesToOwnMAC(comesToOwnMAC, of: flow) }
            }
            return bench
        }

        @Test("are dropped by name, and others are not", arguments: Way.allCases)
        func named(way: Way) throws {
            let bench = try bench(way)
            for row in Self.cases {
                let outcome = try bench.ingress(row.packet)
                if let reason = row.reason {
                    #expect(outcome.verdict == .drop, "\(row.testDescription)")
                    #expect(outcome.reasons == [reason: 1], "\(row.testDescription)")
                } else {
                    #expect(
                        outcome.verdict == .redirect && outcome.reasons.isEmpty,
                        "\(row.testDescription): \(outcome.reasons)")
                }
            }
        }

        @Test("a frame to another host is nobody's where the port has one address", arguments: Way.allCases)
        func anotherHost(way: Way) throws {
            let other = "02:00:00:00:00:99"
            let strict = try bench(way, comesToOwnMAC: true)
            // Addresses of their own, as macvlan, VRRP and VLAN devices have them.
            let lenient = try bench(way)
            for var packet in [Self.v4, Self.unicast, Self.v6, Self.unicast6] {
                #expect(try strict.ingress(packet).verdict == .redirect)
                packet.destinationMAC = other
                #expect(try strict.ingress(packet).reasons == ["drop_wrong_mac": 1], "\(packet.destination)")
                #expect(try lenient.ingress(packet).verdict == .redirect, "\(packet.destination)")
            }
        }

        @Test(
            "IPv6 to an IPv4 flow's address in disguise is no packet of it, and leaves by no leg",
            arguments: Way.allCases)
        func disguised(way: Way) throws {
            let bench = try bench(way)
            for destination in ["::ffff:239.1.1.10", "::ffff:10.1.0.1"] {
                for mac in ["01:00:5e:01:01:0a", "33:33:ef:01:01:0a", "02:00:00:00:00:01"] {
                    var packet = Packet.ipv6(destination: destination)
                    packet.destinationMAC = mac
                    let outcome = try bench.ingress(packet)
                    #expect(outcome.verdict == .drop && outcome.reasons == ["drop_mapped_address": 1])
                }
            }
            #expect(try bench.snapshot().flows.allSatisfy { $0.packets == 0 })
            // Where there is no flow it is the host's.
            let outcome = try bench.ingress(Packet.ipv6(destination: "::ffff:10.1.0.99"))
            #expect(outcome.verdict == .pass && outcome.reasons == ["pass_not_ours": 1])
        }

        @Test("a packet that comes back is the node's own, whatever else it is")
        func own() throws {
            let bench = try bench(.short)
            var packet = Self.v4
            packet.sourceMAC = "02:00:00:00:00:01"
            packet.destinationMAC = "ff:ff:ff:ff:ff:ff"
            #expect(try bench.ingress(packet).reasons == ["drop_own_packet": 1])
        }

        @Test(
            "a flow of 802.1Q has no packets of 802.1ad with the same number, and of two tags the outer one may be either"
        )
        func tags() throws {
            let bench = try TestBench()
            func packet(_ tags: [Packet.Tag]) -> Packet {
                var packet = Packet()
                packet.tags = tags
                return packet
            }
            try bench.route(for: packet([.init(100)]), legs: [bench.leg()])
            try bench.route(for: packet([.init(100), .init(200)]), legs: [bench.leg()])
            let service: UInt16 = 0x88a8
            #expect(try bench.ingress(packet([.init(100)])).verdict == .redirect)
            #expect(try bench.ingress(packet([.init(100), .init(200)])).verdict == .redirect)
            #expect(try bench.ingress(packet([.init(100, protocolNumber: service), .init(200)])).verdict == .redirect)
            for tags: [Packet.Tag] in [
                [.init(100, protocolNumber: service)], [.init(100), .init(200, protocolNumber: service)],
                [.init(100, protocolNumber: service), .init(200, protocolNumber: service)],
            ] {
                let outcome = try bench.ingress(packet(tags))
                #expect(outcome.verdict == .pass && outcome.reasons == ["pass_not_ours": 1], "\(tags)")
            }
        }
    }
}
