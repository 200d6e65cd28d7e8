// How a copy leaves: Ethernet, VLANs, IP, UDP and RTP headers, byte for byte.

import FastPath
import RTPWire
import TestSupport
import Testing

extension FastPathSuite {
    @Suite("Headers of a copy")
    struct HeaderTests {
        /// One packet and one leg; the packet that must come out follows from them.
        struct Case: Sendable {
            var name: String
            var packet: Packet
            var change: @Sendable (inout LegParameters) -> Void
            /// The leg's destination.
            var destination: String

            init(
                _ name: String, _ packet: Packet = Packet(), to destination: String = "10.2.0.5",
                _ change: @escaping @Sendable (inout LegParameters) -> Void = { _ in }
            ) {
                self.name = name
                self.packet = packet
                self.change = change
                self.destination = destination
            }

            init(
                _ name: String, _ packet: Packet = Packet(), to destination: String = "10.2.0.5",
                packetChange: (inout Packet) -> Void,
                _ change: @escaping @Sendable (inout LegParameters) -> Void = { _ in }
            ) {
                self.init(name, packet, to: destination, change)
                packetChange(&self.packet)
            }
        }

        static let qinq = [Packet.Tag(300, protocolNumber: 0x88a8), Packet.Tag(5, priority: 6)]

        static let cases: [Case] = [
            Case("to unicast"),
            Case("M-13: to a group, whose MAC address follows from it", to: "239.129.3.4"),
            Case("with its source kept") { $0.source = nil },
            Case("with a source UDP port of its own") { $0.sourceUDPPort = 7000 },
            Case("M-13: TTL kept") { $0.timeToLive = .keep },
            Case("M-13: TTL set") { $0.timeToLive = .set(17) },
            Case("M-13: the lowest TTL that is forwarded", packetChange: { $0.timeToLive = 2 }),
            Case("M-13: DSCP and ECN kept", packetChange: { $0.trafficClass = 0xb9 }),
            Case("M-13: DSCP set, ECN kept", packetChange: { $0.trafficClass = 0x2b }) { $0.dscp = 46 },
            Case("M-13: DSCP set to 0", packetChange: { $0.trafficClass = 0xff }) { $0.dscp = 0 },
            Case("M-13: without DF", packetChange: { $0.fragmentField = 0 }),
            Case("M-13: VLAN pushed") { $0.vlans = [100] },
            Case("M-13: VLAN popped", packetChange: { $0.tags = [.init(100, priority: 5)] }),
            Case("M-13: VLAN changed", packetChange: { $0.tags = [.init(100, priority: 5)] }) { $0.vlans = [4094] },
            Case("M-13: QinQ pushed") { $0.vlans = [200, 30] },
            Case("M-13: QinQ popped", packetChange: { $0.tags = qinq }),
            Case("M-13: QinQ changed", packetChange: { $0.tags = qinq }) { $0.vlans = [301, 6] },
            Case("M-13: one of two tags popped", packetChange: { $0.tags = qinq }) { $0.vlans = [5] },
            Case("M-13: a second tag pushed", packetChange: { $0.tags = [.init(5)] }) { $0.vlans = [300, 5] },
            Case("M-12: a wrong UDP checksum stays wrong", packetChange: { $0.checksum = .wrong(by: 0x1234) }),
            Case("M-12: a UDP checksum of 0 stays 0", packetChange: { $0.checksum = .absent }) {
                $0.payloadType = 97
                $0.ssrc = 1
            },
            Case("IPv6 to unicast", .ipv6(), to: "2001:db8:2::5"),
            Case("IPv6 to a group", .ipv6(), to: "ff3e::8000:2"),
            Case("IPv6 with its source kept", .ipv6(), to: "2001:db8:2::5") { $0.source = nil },
            Case("IPv6: traffic class and flow label kept", .ipv6(), to: "2001:db8:2::5") {
                $0.timeToLive = .keep
            },
            Case(
                "IPv6: DSCP set, ECN and flow label kept", .ipv6(), to: "ff3e::2",
                packetChange: { $0.trafficClass = 0x57 }
            ) {
                $0.dscp = 34
                $0.timeToLive = .set(9)
            },
            Case("IPv6 out of QinQ into one VLAN", .ipv6(), to: "ff3e::2", packetChange: { $0.tags = qinq }) {
                $0.vlans = [12]
            },
            Case("RTP payload type", packetChange: { $0.rtp?.marker = true }) { $0.payloadType = 127 },
            Case("RTP SSRC") { $0.ssrc = 0 },
            Case("RTP sequence offset, over the wrap", packetChange: { $0.rtp?.sequence = 65_530 }) {
                $0.sequenceOffset = 10
            },
            Case("RTP timestamp offset, over the wrap", packetChange: { $0.rtp?.timestamp = .max - 5 }) {
                $0.timestampOffset = 6
            },
            Case("RTP rewritten whole, over IPv6", .ipv6(), to: "2001:db8:2::5") {
                $0.payloadType = 0
                $0.ssrc = 0xdead_beef
                $0.sequenceOffset = 0x8000
                $0.timestampOffset = 0x8000_0000
            },
            Case("M-11: marker bit", packetChange: { $0.rtp?.marker = true }),
            Case("M-11: fifteen CSRCs", packetChange: { $0.rtp?.csrcs = (0..<15).map { 0x1000_0000 + $0 } }),
            Case("M-11: one-byte extension", packetChange: { $0.rtp?.extension = .oneByte }),
            Case("M-11: two-byte extension", packetChange: { $0.rtp?.extension = .twoByte }),
            Case("M-11: an empty extension", packetChange: { $0.rtp?.extension = .init(profile: 0, data: []) }),
            Case("M-11: padding", packetChange: { $0.rtp?.padding = 5 }),
            Case(
                "M-11: nothing but padding",
                packetChange: {
                    $0.rtp?.payload = []
                    $0.rtp?.padding = 4
                }),
            Case(
                "M-11: all at once, rewritten",
                packetChange: {
                    $0.rtp?.marker = true
                    $0.rtp?.csrcs = [7, 8]
                    $0.rtp?.extension = .oneByte
                    $0.rtp?.padding = 255
                }
            ) {
                $0.payloadType = 100
                $0.ssrc = 99
                $0.sequenceOffset = 1
            },
            Case("M-11: no payload", packetChange: { $0.rtp?.payload = [] }),
            Case(
                "M-13: padding of a short frame is not forwarded",
                packetChange: {
                    $0.rtp?.payload = []
                    $0.trailer = [1, 2, 3, 4, 5, 6]
                }),
            Case("bytes of the IP packet behind the datagram go along", packetChange: { $0.ipTrailer = [9, 8, 7] }),
            Case("an odd number of bytes", packetChange: { $0.rtp?.payload = [1, 2, 3] }),
            Case(
                "1500 bytes of IP",
                packetChange: {
                    $0.rtp?.payload = (0..<1460).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                }),
        ]

        @Test("one leg: ingress writes its headers")
        func directly() throws {
            // A bench for each case would be slow: the flow is taken out again instead.
            let bench = try TestBench()
            for row in Self.cases {
                var leg = try bench.leg(row.destination)
                row.change(&leg)
                let handle = try bench.route(for: row.packet, legs: [leg])
                let outcome = try bench.ingress(row.packet)
                #expect(outcome.verdict == .redirect, "\(row.name)")
                #expect(outcome.frame == row.packet.sent(by: leg).bytes, "\(row.name)")
                #expect(outcome.reasons == [:], "\(row.name)")
                let parsed = try #require(ParsedFrame(outcome.frame), "\(row.name)")
                #expect(parsed.headerChecksumHolds == (row.packet.headerChecksumError == 0), "\(row.name)")
                switch row.packet.checksum {
                case .right: #expect(parsed.hasChecksum && parsed.checksumHolds, "\(row.name)")
                case .absent: #expect(!parsed.hasChecksum, "\(row.name)")
                case .wrong: #expect(parsed.hasChecksum && !parsed.checksumHolds, "\(row.name)")
                }
                try bench.thread.run { bench.fastPath.removeFlow(handle) }
            }
        }

        @Test("several legs: egress writes the headers of each copy")
        func byEgress() throws {
            let bench = try TestBench()
            let egress = try EgressBench(bench)
            for row in Self.cases {
                var first = try bench.leg(row.destination)
                row.change(&first)
                // A neighbour that differs in everything: no leg may get the other's headers.
                var second = try bench.leg(row.packet.isIPv6 ? "ff3e::99" : "239.99.0.99")
                second.vlans = [99]
                second.timeToLive = .set(99)
                let handle = try bench.route(for: row.packet, legs: [first, second])
                let outcome = try bench.ingress(row.packet)
                #expect(outcome.verdict == .redirect, "\(row.name)")
                // From the RTP header on, ingress leaves the frame as it came but for its padding.
                var trimmed = row.packet
                trimmed.trailer = []
                let headers = try #require(ParsedFrame(trimmed.bytes), "\(row.name)").payloadOffset
                #expect(outcome.frame.dropFirst(headers) == trimmed.bytes.dropFirst(headers), "\(row.name)")
                for leg in [first, second] {
                    let copy = try egress.run(outcome.frame, output: 0)
                    #expect(copy.verdict == .pass, "\(row.name)")
                    #expect(copy.frame == row.packet.sent(by: leg).bytes, "\(row.name)")
                }
                // A third copy of two is nobody's.
                let third = try egress.run(outcome.frame, output: 0)
                #expect(third.verdict == .drop, "\(row.name)")
                #expect(third.reasons == ["copy_no_leg": 1], "\(row.name)")
                try bench.thread.run { bench.fastPath.removeFlow(handle) }
            }
        }

        @Test("M-12: a UDP checksum that comes out as 0x0000 is sent as 0xffff")
        func zeroChecksum() throws {
            for packet in [Packet(), Packet.ipv6()] {
                let bench = try TestBench()
                let leg = try bench.leg(packet.isIPv6 ? "2001:db8:2::5" : "10.2.0.5")
                try bench.route(for: packet, legs: [leg])
                // Choose a payload word that makes the outgoing sum 0xffff.
                var packet = packet
                packet.rtp?.payload = [0, 0]
                let sent = try #require(ParsedFrame(packet.sent(by: leg).bytes))
                let udp = packet.sent(by: leg).bytes.dropFirst(sent.payloadOffset - 8)
                let checksum = Array(udp).bigEndian(at: 6, as: UInt16.self)
                packet.rtp?.payload = [UInt8(checksum >> 8), UInt8(checksum & 0xff)]
                let expected = packet.sent(by: leg).bytes
                #expect(Array(expected.dropFirst(sent.payloadOffset - 2).prefix(2)) == [0xff, 0xff])
                #expect(try bench.ingress(packet).frame == expected)
            }
        }
    }
}
