// What is not a flow's goes to the host untouched, counted by reason.

import FastPath
import TestSupport
import Testing

extension FastPathSuite {
    @Suite("What is not ours")
    struct NotOursTests {
        /// A frame that the host gets, and why.
        struct Case: CustomTestStringConvertible, Sendable {
            var testDescription: String
            var reason: String
            var frame: [UInt8]

            init(_ description: String, _ reason: String, _ packet: Packet) {
                self.init(description, reason, packet.bytes)
            }

            init(_ description: String, _ reason: String, _ frame: [UInt8]) {
                testDescription = description
                self.reason = reason
                self.frame = frame
            }

            init(_ description: String, _ reason: String, _ change: (inout Packet) -> Void, from packet: Packet) {
                var packet = packet
                change(&packet)
                self.init(description, reason, packet)
            }
        }

        static let v4 = Packet()
        static let v6 = Packet.ipv6()

        static let cases: [Case] = [
            Case("ARP", "pass_not_ip", { $0.etherType = 0x0806 }, from: v4),
            Case("LLDP", "pass_not_ip", { $0.etherType = 0x88cc }, from: v4),
            Case("PTP over Ethernet", "pass_not_ip", { $0.etherType = 0x88f7 }, from: v4),
            Case("MPLS", "pass_not_ip", { $0.etherType = 0x8847 }, from: v4),
            Case("TCP", "pass_not_udp", { $0.protocolNumber = 6 }, from: v4),
            Case("ICMP", "pass_not_udp", { $0.protocolNumber = 1 }, from: v4),
            Case(
                "IGMP with Router Alert", "pass_not_udp",
                {
                    $0.protocolNumber = 2
                    $0.options = [0x94, 4, 0, 0]
                }, from: v4),
            Case("ICMPv6", "pass_not_udp", { $0.protocolNumber = 58 }, from: v6),
            Case("UDP to another address", "pass_not_ours", { $0.destination = "239.1.1.11" }, from: v4),
            Case("UDP to another UDP port", "pass_not_ours", { $0.destinationPort = 5005 }, from: v4),
            Case("UDP in another VLAN", "pass_not_ours", { $0.tags = [.init(7)] }, from: v4),
            Case("UDP over IPv6 to another address", "pass_not_ours", { $0.destination = "ff3e::1:11" }, from: v6),
            Case(
                "three tags", "pass_too_many_vlans",
                { $0.tags = [.init(1, protocolNumber: 0x88a8), .init(2), .init(3)] }, from: v4),
            Case("IPv4 options before our UDP", "pass_ip_options", { $0.options = [1, 1, 1, 1] }, from: v4),
            Case("hop-by-hop options", "pass_ip_options", { $0.extensionHeaders = [.hopByHop] }, from: v6),
            Case("a routing header", "pass_ip_options", { $0.extensionHeaders = [.routing] }, from: v6),
            Case("destination options", "pass_ip_options", { $0.extensionHeaders = [.destinationOptions] }, from: v6),
            Case("M-13: the first fragment", "pass_fragment", { $0.fragmentField = 0x2000 }, from: v4),
            Case("M-13: a fragment in the middle", "pass_fragment", { $0.fragmentField = 0x2010 }, from: v4),
            Case("M-13: the last fragment", "pass_fragment", { $0.fragmentField = 0x0010 }, from: v4),
            Case("M-13: an IPv6 fragment", "pass_fragment", { $0.extensionHeaders = [.fragment] }, from: v6),
            Case("a header length below 5 words", "pass_malformed", replacing(v4, at: 14, by: 0x35)),
            Case("an IP length without room for UDP", "pass_malformed", { $0.claimedIPLength = 27 }, from: v4),
            Case("IPv6 without a payload length", "pass_malformed", { $0.claimedIPLength = 0 }, from: v6),
            Case("version 4 under IPv6's EtherType", "pass_malformed", { $0.etherType = 0x86dd }, from: v4),
            Case("a frame that ends in the IPv4 header", "pass_malformed", Array(v4.bytes.prefix(33))),
            Case("a frame that ends in the IPv6 header", "pass_malformed", Array(v6.bytes.prefix(53))),
            Case("a frame that ends in the UDP header", "pass_malformed", Array(v4.bytes.prefix(41))),
            Case(
                "a frame that ends in its tag", "pass_malformed",
                Array(v4.bytes.prefix(12)) + [0x81, 0]),
            Case("M-13: our flow with TTL 1", "pass_ttl_expired", { $0.timeToLive = 1 }, from: v4),
            Case("M-13: our flow with TTL 0", "pass_ttl_expired", { $0.timeToLive = 0 }, from: v4),
            Case("M-13: our flow with hop limit 1", "pass_ttl_expired", { $0.timeToLive = 1 }, from: v6),
        ]

        private static func replacing(_ packet: Packet, at offset: Int, by byte: UInt8) -> [UInt8] {
            var frame = packet.bytes
            frame[offset] = byte
            return frame
        }

        @Test("M-13: goes to the host as it came")
        func everyCase() throws {
            let bench = try TestBench()
            try bench.route(for: Self.v4, legs: [bench.leg()])
            try bench.route(for: Self.v6, legs: [bench.leg("2001:db8:2::5")])
            for row in Self.cases {
                let outcome = try bench.ingress(row.frame)
                #expect(outcome.verdict == .pass, "\(row.testDescription)")
                #expect(outcome.frame == row.frame, "\(row.testDescription)")
                #expect(outcome.reasons == [row.reason: 1], "\(row.testDescription)")
            }
            // The bench does forward: it is not that nothing ever is.
            #expect(try bench.ingress(Self.v4).verdict == .redirect)
            #expect(try bench.ingress(Self.v6).verdict == .redirect)
        }

        @Test("PTP passes", .enabled(if: Corpus.isPresent, "\(Corpus.reason)"))
        func precisionTime() throws {
            let bench = try TestBench()
            try bench.route(for: Self.v4, legs: [bench.leg()])
            let capture = try Corpus.capture("ptpv2.pcap")
            #expect(!capture.records.isEmpty)
            for record in capture.records {
                let outcome = try bench.ingress(record.bytes)
                #expect(outcome.verdict == .pass)
                #expect(outcome.frame == record.bytes)
            }
        }

        @Test("IGMPv3 passes, options and all", .enabled(if: Corpus.isPresent, "\(Corpus.reason)"))
        func membership() throws {
            let bench = try TestBench()
            try bench.route(for: Self.v4, legs: [bench.leg()])
            let capture = try Corpus.capture("suri-igmpv3.pcap")
            #expect(!capture.records.isEmpty)
            for record in capture.records {
                let outcome = try bench.ingress(record.bytes)
                #expect(outcome.verdict == .pass)
                #expect(outcome.frame == record.bytes)
                #expect(outcome.reasons == ["pass_not_udp": 1])
            }
        }
    }
}
