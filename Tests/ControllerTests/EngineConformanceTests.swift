// Both engines over the same packets and legs: every frame that leaves is the same, byte for byte.

import AFXDP
import FastPath
import RTPWire
import TestSupport
import Testing

extension NodeFastPathTests {
    @Suite("Conformance of both engines") struct EngineConformance {
        struct Case: Sendable {
            var name: String
            var packet: Packet
            var destination: String
            var change: @Sendable (inout LegParameters) -> Void

            init(
                _ name: String, _ packet: Packet = Packet(), to destination: String = "10.2.0.5",
                _ change: @escaping @Sendable (inout LegParameters) -> Void = { _ in }
            ) {
                self.name = name
                self.packet = packet
                self.destination = destination
                self.change = change
            }

            init(
                _ name: String, _ packet: Packet = Packet(), to destination: String = "10.2.0.5",
                packet packetChange: (inout Packet) -> Void,
                _ change: @escaping @Sendable (inout LegParameters) -> Void = { _ in }
            ) {
                self.init(name, packet, to: destination, change)
                packetChange(&self.packet)
            }
        }

        static let qinq = [Packet.Tag(300, protocolNumber: 0x88a8), Packet.Tag(5, priority: 6)]

        static func payload(_ count: Int) -> (inout Packet) -> Void {
            { $0.rtp?.payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) } }
        }

        static let single: [Case] = [
            Case("to unicast"), Case("to a group", to: "239.129.3.4"),
            Case("source kept") { $0.source = nil }, Case("source UDP port") { $0.sourceUDPPort = 7000 },
            Case("TTL kept") { $0.timeToLive = .keep }, Case("TTL set") { $0.timeToLive = .set(17) },
            Case("lowest TTL", packet: { $0.timeToLive = 2 }),
            Case("DSCP and ECN kept", packet: { $0.trafficClass = 0xb9 }),
            Case("DSCP set, ECN kept", packet: { $0.trafficClass = 0x2b }) { $0.dscp = 46 },
            Case("DSCP set to 0", packet: { $0.trafficClass = 0xff }) { $0.dscp = 0 },
            Case("without DF", packet: { $0.fragmentField = 0 }),
            Case("VLAN pushed") { $0.vlans = [100] },
            Case("VLAN popped", packet: { $0.tags = [.init(100, priority: 5)] }),
            Case("VLAN changed", packet: { $0.tags = [.init(100, priority: 5)] }) { $0.vlans = [4094] },
            Case("QinQ pushed") { $0.vlans = [200, 30] },
            Case("QinQ popped", packet: { $0.tags = qinq }),
            Case("QinQ changed", packet: { $0.tags = qinq }) { $0.vlans = [301, 6] },
            Case("one of two tags popped", packet: { $0.tags = qinq }) { $0.vlans = [5] },
            Case("a second tag pushed", packet: { $0.tags = [.init(5)] }) { $0.vlans = [300, 5] },
            Case("a wrong UDP checksum stays wrong", packet: { $0.checksum = .wrong(by: 0x1234) }),
            Case("a UDP checksum of 0 stays 0", packet: { $0.checksum = .absent }) {
                $0.payloadType = 97
                $0.ssrc = 1
            },
            Case("a wrong IP header checksum stays wrong", packet: { $0.headerChecksumError = 0x0101 }),
            Case("payload type") { $0.payloadType = 100 }, Case("SSRC 0") { $0.ssrc = 0 },
            Case("sequence and timestamp", packet: { $0.rtp?.sequence = 65_535 }) {
                $0.sequenceOffset = 3
                $0.timestampOffset = 0xffff_fff0
            },
            Case(
                "padding of a short frame",
                packet: {
                    $0.rtp?.payload = []
                    $0.trailer = [UInt8](repeating: 0, count: 6)
                }),
            Case("1442 bytes", packet: payload(1388)), Case("1514 bytes", packet: payload(1460)),
            Case("odd length", packet: payload(1001)),
            Case("IPv6", .ipv6(), to: "2001:db8:2::5"), Case("IPv6 to a group", .ipv6(), to: "ff3e::8000:2"),
            Case("IPv6, source kept", .ipv6(), to: "2001:db8:2::5") { $0.source = nil },
            Case("IPv6, DSCP set", .ipv6(), to: "ff3e::2", packet: { $0.trafficClass = 0x57 }) {
                $0.dscp = 34
                $0.timeToLive = .set(9)
            },
            Case("IPv6 out of QinQ into one VLAN", .ipv6(), to: "ff3e::2", packet: { $0.tags = qinq }) {
                $0.vlans = [77]
            },
            Case("IPv6, RTP rewritten", .ipv6(), to: "ff3e::2") {
                $0.ssrc = 99
                $0.sequenceOffset = 1
            },
            Case("IPv4 to IPv6", to: "2001:db8:2::5") { $0.changesFamily = true },
            Case("IPv4 to IPv6, DSCP, VLAN", to: "ff3e::2", packet: { $0.trafficClass = 0x2b }) {
                $0.changesFamily = true
                $0.dscp = 46
                $0.vlans = [100]
            },
            Case("IPv4 without a checksum to IPv6", to: "2001:db8:2::5", packet: { $0.checksum = .absent }) {
                $0.changesFamily = true
            },
            Case(
                "IPv4 without a checksum to IPv6, odd", to: "2001:db8:2::5",
                packet: {
                    payload(1001)(&$0)
                    $0.checksum = .absent
                }
            ) { $0.changesFamily = true },
            Case("IPv6 to IPv4", .ipv6(), to: "10.2.0.5") { $0.changesFamily = true },
            Case("IPv6 to IPv4, TTL, two VLANs", .ipv6(), to: "239.9.9.9", packet: { $0.tags = [.init(5)] }) {
                $0.changesFamily = true
                $0.timeToLive = .set(3)
                $0.vlans = [200, 30]
            },
            Case("other family, RTP rewritten", to: "ff3e::2") {
                $0.changesFamily = true
                $0.payloadType = 101
                $0.ssrc = 5
                $0.timestampOffset = 7
            },
        ]

        /// Frames of one buffer, of two and of three; the longest that an MTU of 9,000 takes.
        static let jumbo: [Case] =
            [3400, 3786, 3787, 5000, 7626, 7627, 8900].map { Case("\($0) bytes of payload", packet: payload($0)) } + [
                Case("IPv6, 8000 bytes", .ipv6(), to: "ff3e::2", packet: payload(8000)),
                Case("8000 bytes into a VLAN", packet: payload(8000)) { $0.vlans = [100] },
                Case("RTP rewritten in 8000 bytes", packet: payload(8000)) { $0.ssrc = 3 },
                Case(
                    "7001 bytes without a checksum to IPv6", to: "ff3e::2",
                    packet: {
                        payload(7001)(&$0)
                        $0.checksum = .absent
                    }
                ) { $0.changesFamily = true },
            ]

        /// What one engine sends: by case, sorted.
        private func outcome(
            _ bench: EngineBench, _ cases: [Case], _ engine: FlowParameters.Engine, legs: Int, together: Bool
        ) async throws -> [[[UInt8]]] {
            var (frames, flows): ([[UInt8]], [FlowHandle]) = ([], [])
            for (number, one) in cases.enumerated() {
                let records = try (0..<legs).map { index in
                    var leg = try bench.leg(
                        one.destination, egress: index % 2, udpPort: UInt16(20_000 + 8 * number + index))
                    one.change(&leg)
                    if index > 0 { leg.dscp = UInt8(index) }
                    return leg
                }
                // The kernel does not copy long frames: each leg has a flow and a packet of its own then.
                for (index, set) in (together ? [records] : records.map { [$0] }).enumerated() {
                    var packet = one.packet
                    packet.destinationPort = UInt16(10_000 + 8 * number + index)
                    flows.append(try bench.route(for: packet, engine: engine, legs: set))
                    frames.append(packet.bytes)
                }
            }
            let captured = try await bench.capture {
                try await bench.send(frames)
                return cases.count * legs
            }
            let counts = try bench.snapshot().flows.map { flow in (flow.engine, flow.legs.map(\.packets)) }
            #expect(counts.allSatisfy { $0.0 == (engine == .kernel ? "kernel" : "afxdp") })
            #expect(counts.allSatisfy { $0.1.allSatisfy { $0 == 1 } }, "\(counts)")
            try bench.remove(flows)
            var sorted = [[[UInt8]]](repeating: [], count: cases.count)
            for frame in captured.joined() {
                let port = try #require(ParsedFrame(frame)).destinationPort
                sorted[Int(port - 20_000) / 8].append(frame)
            }
            return sorted.map { $0.sorted { $0.lexicographicallyPrecedes($1) } }
        }

        private func compare(_ cases: [Case], _ kernel: [[[UInt8]]], _ afxdp: [[[UInt8]]], legs: Int) {
            for (number, one) in cases.enumerated() {
                #expect(kernel[number].count == legs, "\(one.name)")
                #expect(kernel[number] == afxdp[number], "\(one.name)")
            }
        }

        @Test(arguments: [1, 3]) func sendTheSame(legs: Int) async throws {
            let bench = try await EngineBench(mtu: 1600)
            try bench.start(mtu: 1600)
            let kernel = try await outcome(bench, Self.single, .kernel, legs: legs, together: true)
            let afxdp = try await outcome(bench, Self.single, .afxdp, legs: legs, together: true)
            compare(Self.single, kernel, afxdp, legs: legs)
        }

        @Test(arguments: [EngineSettings.PayloadSharing.never, .always])
        func sendTheSameJumboFrames(sharing: EngineSettings.PayloadSharing) async throws {
            let bench = try await EngineBench(settings: EngineSettings(payloadSharing: sharing), mtu: 9100)
            try bench.start(mtu: 9100)
            let kernel = try await outcome(bench, Self.jumbo, .kernel, legs: 3, together: false)
            let afxdp = try await outcome(bench, Self.jumbo, .afxdp, legs: 3, together: true)
            compare(Self.jumbo, kernel, afxdp, legs: 3)
        }
    }
}
