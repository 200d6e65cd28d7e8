// What is seen of packets that are for a silent flow and come otherwise than it expects.

import FastPath
import TestSupport
import Testing

extension FastPathSuite {
    @Suite("Sightings") struct Sightings {
        typealias Change = @Sendable (inout Packet) -> Void

        private static let differences: [(String, FlowSighting.Kind, Change)] = [
            ("TTL 1", .ttlExpired, { $0.timeToLive = 1 }),
            ("a VLAN", .wrongVLAN, { $0.tags = [.init(100)] }),
            ("two VLANs", .wrongVLAN, { $0.tags = [.init(100), .init(7)] }),
            ("another UDP port", .wrongUDPPort, { $0.destinationPort = 5006 }),
        ]

        @Test("The latest packet for a silent flow's destination says what is different")
        func kinds() throws {
            for (base, isIPv6) in [(Packet(), false), (Packet.ipv6(), true)] {
                let bench = try TestBench()
                try bench.route(for: base, legs: [try bench.leg()])
                #expect(try bench.snapshot().flows[0].sighting == nil)
                var fragments: (String, FlowSighting.Kind, Change) = (
                    "fragments", .fragments, { $0.fragmentField = 0x2000 }
                )
                if isIPv6 { fragments.2 = { $0.extensionHeaders = [.fragment] } }
                for (number, (text, kind, change)) in (Self.differences + [fragments]).enumerated() {
                    var packet = base
                    change(&packet)
                    _ = try bench.ingress(packet)
                    let sighting = try #require(try bench.snapshot().flows[0].sighting, "\(text)")
                    #expect(sighting.kind == kind && sighting.source == base.source, "\(text): \(sighting)")
                    #expect(sighting.vlans == packet.tags.map { $0.control & 0xfff }, "\(text)")
                    #expect(sighting.udpPort == (kind == .fragments ? nil : packet.destinationPort), "\(text)")
                    #expect(sighting.packets == (number == 2 ? 2 : 1), "\(text): two of one kind")
                }
                // What comes as it should needs no explanation.
                _ = try bench.ingress(base)
                #expect(try bench.snapshot().flows[0].sighting == nil)
            }
        }

        @Test("A packet at another interface than the flow's")
        func port() throws {
            let bench = try TestBench()
            var key = try bench.key(for: Packet())
            key.interfaceIndex = 1
            try bench.route(key)
            _ = try bench.ingress(Packet())
            let sighting = try #require(try bench.snapshot().flows[0].sighting)
            #expect(sighting.kind == .wrongPort && sighting.packets == 1)
        }

        @Test("Nothing is seen for nobody: other addresses, other UDP ports of the node, flows that are gone")
        func nobody() throws {
            let bench = try TestBench()
            let unicast = Packet(destination: "10.1.0.1")
            let handle = try bench.route(for: unicast, legs: [try bench.leg()])
            for packet in [
                Packet(destination: "239.1.1.77"), Packet(destination: "10.1.0.1", destinationPort: 53),
            ] {
                _ = try bench.ingress(packet)
                #expect(try bench.snapshot().flows[0].sighting == nil)
            }
            var tagged = unicast
            tagged.tags = [.init(9)]
            _ = try bench.ingress(tagged)
            #expect(try bench.snapshot().flows[0].sighting?.kind == .wrongVLAN)
            try bench.thread.run { bench.fastPath.removeFlow(handle) }
            try bench.route(for: unicast, legs: [try bench.leg()])
            #expect(try bench.snapshot().flows[0].sighting == nil, "the next flow there begins without a past")
        }
    }
}
