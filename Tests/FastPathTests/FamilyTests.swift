// Copies in the other address family: IPv4 in and IPv6 out, and back.

import FastPath
import RTPWire
import TestSupport
import Testing

extension FastPathSuite {
    @Suite("Change of address family")
    struct FamilyTests {
        struct Case: Sendable {
            var name: String
            var packet: Packet
            var change: @Sendable (inout LegParameters) -> Void = { _ in }
        }

        private static func packets(_ change: (inout Packet) -> Void) -> [Packet] {
            [Packet(), .ipv6()].map { packet in
                var packet = packet
                change(&packet)
                return packet
            }
        }

        private static func both(
            _ name: String, packet: (inout Packet) -> Void = { _ in },
            leg change: @escaping @Sendable (inout LegParameters) -> Void = { _ in }
        ) -> [Case] {
            packets(packet).map {
                Case(name: "\($0.isIPv6 ? "IPv6 to IPv4" : "IPv4 to IPv6"): \(name)", packet: $0, change: change)
            }
        }

        private static let qinq = [Packet.Tag(300, protocolNumber: 0x88a8), Packet.Tag(5, priority: 6)]

        static let cases: [Case] =
            [
                both("plain"), both("TTL set", leg: { $0.timeToLive = .set(7) }),
                both("TTL kept", leg: { $0.timeToLive = .keep }),
                both("DSCP and ECN kept", packet: { $0.trafficClass = 0xb9 }),
                both("DSCP set, ECN kept", packet: { $0.trafficClass = 0x2b }, leg: { $0.dscp = 46 }),
                both("source UDP port", leg: { $0.sourceUDPPort = 7000 }),
                both("VLAN pushed", leg: { $0.vlans = [100] }),
                both("two VLANs pushed", leg: { $0.vlans = [200, 30] }),
                both("VLAN popped", packet: { $0.tags = [.init(100, priority: 5)] }),
                both("two VLANs popped", packet: { $0.tags = qinq }),
                both("VLAN kept", packet: { $0.tags = [.init(100, priority: 5)] }, leg: { $0.vlans = [4094] }),
                both(
                    "RTP rewritten",
                    leg: {
                        $0.payloadType = 100
                        $0.ssrc = 99
                        $0.sequenceOffset = 1
                        $0.timestampOffset = 5
                    }),
                both("a wrong UDP checksum stays wrong", packet: { $0.checksum = .wrong(by: 0x1234) }),
                both(
                    "padding of a short frame",
                    packet: {
                        $0.rtp?.payload = []
                        $0.trailer = [1, 2, 3, 4, 5, 6]
                    }),
                both("bytes behind the datagram", packet: { $0.ipTrailer = [9, 8, 7] }),
                both(
                    "RTCP",
                    packet: { packet in
                        packet.rtp = nil
                        packet.payload = [0x80, 200, 0, 1, 0x12, 0x34, 0x56, 0x78]
                    }),
                both(
                    "1500 bytes of IP",
                    packet: { $0.rtp?.payload = (0..<1440).map { UInt8(truncatingIfNeeded: $0 &* 7) } }),
            ].flatMap { $0 }
            // IPv6 needs the checksum that IPv4 may leave out: it is computed over all of the payload.
            + [0, 1, 2, 63, 64, 65, 1439].map { length in
                var packet = Packet()
                packet.rtp?.payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 11) }
                packet.checksum = .absent
                return Case(name: "IPv4 without checksum to IPv6, \(length) bytes", packet: packet)
            }

        private func leg(_ bench: TestBench, _ row: Case) throws -> LegParameters {
            var leg = try bench.leg(row.packet.isIPv6 ? "10.2.0.5" : "2001:db8:2::5")
            row.change(&leg)
            leg.changesFamily = true
            return leg
        }

        @Test("one leg: ingress writes its headers")
        func directly() throws {
            let bench = try TestBench()
            for row in Self.cases {
                let leg = try leg(bench, row)
                let handle = try bench.route(for: row.packet, legs: [leg])
                let outcome = try bench.ingress(row.packet)
                #expect(outcome.verdict == .redirect, "\(row.name)")
                #expect(outcome.frame == row.packet.changed(by: leg).bytes, "\(row.name)")
                #expect(outcome.reasons == [:], "\(row.name)")
                let parsed = try #require(ParsedFrame(outcome.frame), "\(row.name)")
                #expect(parsed.headerChecksumHolds && parsed.hasChecksum, "\(row.name)")
                let isWrong = if case .wrong = row.packet.checksum { true } else { false }
                #expect(parsed.checksumHolds == !isWrong, "\(row.name)")
                try bench.thread.run { bench.fastPath.removeFlow(handle) }
            }
        }

        @Test("beside legs of the flow's own family: egress writes the headers of each copy, and counts its bytes")
        func byEgress() throws {
            let bench = try TestBench()
            let egress = try EgressBench(bench)
            for row in Self.cases {
                let first = try leg(bench, row)
                let second = try bench.leg(row.packet.isIPv6 ? "ff3e::99" : "239.99.0.99")
                let handle = try bench.route(for: row.packet, legs: [first, second])
                let outcome = try bench.ingress(row.packet)
                let changed = try egress.run(outcome.frame, output: 0)
                #expect(changed.verdict == .pass, "\(row.name)")
                #expect(changed.frame == row.packet.changed(by: first).bytes, "\(row.name)")
                let same = try egress.run(outcome.frame, output: 0)
                #expect(same.frame == row.packet.sent(by: second).bytes, "\(row.name)")
                try bench.thread.run { bench.fastPath.removeFlow(handle) }
            }
        }

        @Test("a leg's bytes are those of the frames that leave")
        func bytes() throws {
            for packet in [Packet(), .ipv6()] {
                let bench = try TestBench()
                let row = Case(name: "", packet: packet) { $0.vlans = [7] }
                var leg = try leg(bench, row)
                let handle = try bench.route(for: packet)
                leg.counter = try bench.thread.run {
                    try bench.fastPath.addLegCounter(flow: handle, number: 1, to: "test")
                }
                try bench.thread.run { try bench.fastPath.setLegs([leg], of: handle) }
                let frame = try bench.ingress(packet).frame
                #expect(try bench.onlyFlow().legs.first?.bytes == UInt64(frame.count))
            }
        }

        @Test("a UDP checksum that is computed as 0x0000 is sent as 0xffff")
        func zeroChecksum() throws {
            let bench = try TestBench()
            var packet = Packet()
            packet.checksum = .absent
            let leg = try leg(bench, Case(name: "", packet: packet))
            try bench.route(for: packet, legs: [leg])
            // Choose a payload word that makes the outgoing sum 0xffff.
            packet.rtp?.payload = [0, 0]
            let frame = packet.changed(by: leg).bytes
            let checksum = frame.bigEndian(at: 14 + 40 + 6, as: UInt16.self)
            packet.rtp?.payload = [UInt8(checksum >> 8), UInt8(checksum & 0xff)]
            let expected = packet.changed(by: leg).bytes
            #expect(Array(expected[60..<62]) == [0xff, 0xff])
            #expect(try bench.ingress(packet).frame == expected)
        }
    }
}

extension Packet {
    /// The packet as `leg`, of the other family, should send it.
    fileprivate func changed(by leg: LegParameters) -> Packet {
        var packet = sent(by: leg)
        packet.identification = 0
        packet.fragmentField = 0x4000
        if packet.isIPv6, packet.checksum == .absent { packet.checksum = .right }
        return packet
    }
}
