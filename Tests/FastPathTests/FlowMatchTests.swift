// Which flow a packet belongs to: interface, VLANs, destination, source; and what guards and draining flows do.

import FoundationEssentials
import RTPWire
import TestSupport
import Testing

@testable import FastPath

extension FastPathSuite {
    @Suite("Matching")
    struct FlowMatchTests {
        @Test("F-12: a flow is matched by interface, VLANs, destination address and UDP port alone")
        func key() throws {
            let bench = try TestBench()
            var tagged = Packet()
            tagged.tags = [.init(10)]
            var qinq = Packet()
            qinq.tags = [.init(10, protocolNumber: 0x88a8), .init(20)]
            for (index, packet) in [Packet(), tagged, qinq].enumerated() {
                try bench.route(for: packet, legs: [bench.leg("239.2.0.\(index)", counter: UInt32(index))])
            }
            for (index, packet) in [Packet(), tagged, qinq].enumerated() {
                var packet = packet
                // Neither source, priority nor traffic class matter; nor does 802.1ad against 802.1Q.
                packet.source = "10.9.9.\(index)"
                packet.sourcePort = 1
                packet.trafficClass = 0xb8
                packet.tags = packet.tags.map { .init($0.control & 0xfff, priority: 7) }
                let outcome = try bench.ingress(packet)
                #expect(outcome.verdict == .redirect)
                #expect(ParsedFrame(outcome.frame)?.destination == [239, 2, 0, UInt8(index)])
            }
            var other = qinq
            other.tags[1] = .init(21)
            #expect(try bench.ingress(other).verdict == .pass)
            let elsewhere = try bench.counted {
                try bench.fastPath.runIngress(
                    frame: Packet().bytes, interfaceIndex: bench.outputs[0].interfaceIndex ?? 0)
            }
            #expect(elsewhere.verdict == .pass)
            #expect(elsewhere.reasons == ["pass_not_ours": 1])
        }

        @Test("hundreds of flows are all found, with and without sources: Swift's hash is BPF's")
        func hash() throws {
            let bench = try TestBench(limits: .init(flows: 256, legs: 1024))
            var packets: [(Packet, [UInt8])] = []
            var random = SeededGenerator(seed: 11)
            for number in 0..<250 {
                var packet = number % 3 == 0 ? Packet.ipv6() : Packet()
                packet.destination =
                    packet.isIPv6
                    ? "ff3e::\(String(number, radix: 16)):1"
                    : "239.\(number).\(UInt8.random(in: 0...255, using: &random)).9"
                packet.destinationPort = .random(in: 1...65535, using: &random)
                packet.tags = number % 5 == 0 ? [.init(.random(in: 1...4094, using: &random))] : []
                var key = try bench.key(for: packet)
                let leg = try bench.leg(packet.isIPv6 ? "2001:db8:2::\(number + 1)" : "239.200.\(number).1")
                if number % 7 == 0 { key.source = IPAddress(packet.source) }
                try bench.route(key, legs: [leg])
                packets.append((packet, packet.sent(by: leg).bytes))
            }
            for (packet, expected) in packets {
                let outcome = try bench.ingress(packet)
                #expect(outcome.verdict == .redirect && outcome.frame == expected, "\(packet.destination)")
            }
        }

        @Test("source-specific flows beside each other on one destination")
        func sources() throws {
            let bench = try TestBench()
            for family in [Packet(), Packet.ipv6()] {
                let prefix = family.isIPv6 ? "2001:db8:1::" : "10.1.0."
                func packet(_ source: Int, port: UInt16 = 5000) -> Packet {
                    var packet = family
                    packet.source = prefix + String(source)
                    packet.sourcePort = port
                    return packet
                }
                func destination(_ number: Int) -> String { family.isIPv6 ? "ff3e::2:\(number)" : "239.2.0.\(number)" }
                var handles: [FlowHandle] = []
                for source in 1...3 {
                    var key = try bench.key(for: family)
                    key.source = IPAddress(prefix + String(source))
                    let leg = try bench.leg(destination(source))
                    handles.append(try bench.route(key, FlowParameters(unknownSource: .drop), legs: [leg]))
                }
                var key = try bench.key(for: family)
                key.source = IPAddress(prefix + "2")
                key.sourceUDPPort = 7777
                handles.append(try bench.route(key, legs: [bench.leg(destination(4))]))

                func arrives(_ packet: Packet, at number: Int) throws {
                    let outcome = try bench.ingress(packet)
                    #expect(outcome.verdict == .redirect)
                    #expect(ParsedFrame(outcome.frame)?.destination == Packet.addressBytes(destination(number)))
                }
                for source in 1...3 { try arrives(packet(source), at: source) }
                // The more specific flow goes first, for its source only.
                try arrives(packet(2, port: 7777), at: 4)
                try arrives(packet(1, port: 7777), at: 1)
                let stranger = try bench.ingress(packet(9))
                #expect(stranger.verdict == .drop)
                #expect(stranger.reasons == ["drop_wrong_source": 1])

                // The first flow, in the destination's own slot, goes: the others stay.
                #expect(try bench.thread.run { bench.fastPath.drainFlow(handles[0]) } == false)
                #expect(try bench.ingress(packet(1)).reasons == ["drop_wrong_source": 1])
                for source in 2...3 { try arrives(packet(source), at: source) }
                #expect(try bench.thread.run { bench.fastPath.drainFlow(handles[3]) } == false)
                try arrives(packet(2, port: 7777), at: 2)
                #expect(try bench.thread.run { bench.fastPath.drainFlow(handles[1]) } == false)
                #expect(try bench.ingress(packet(2)).reasons == ["drop_wrong_source": 1])
                try arrives(packet(3), at: 3)
                // The last one leaves a destination that drains.
                #expect(try bench.thread.run { bench.fastPath.drainFlow(handles[2]) } == true)
                #expect(try bench.ingress(packet(3)).reasons == ["drop_draining": 1])
            }
        }

        @Test("a UDP source port of 0 matches no flow that names another")
        func sourcePortZero() throws {
            let bench = try TestBench()
            var key = try bench.key(for: Packet())
            key.source = IPAddress(Packet().source)
            func slot(_ port: UInt16) -> Int {
                key.sourceUDPPort = port
                return Int(FlowTable.Key(sourceOf: key).hash) & (bench.fastPath.flowTable.slots.count - 1)
            }
            // A flow at the very place where a search for port 0 begins, behind one that holds the destination's slot.
            let zero = slot(0)
            let port = try #require((1...UInt16.max).first { slot($0) == zero })
            for port in [9, port] {
                key.sourceUDPPort = port
                try bench.route(key, FlowParameters(unknownSource: .drop), legs: [bench.leg()])
            }
            var packet = Packet()
            packet.sourcePort = 0
            let outcome = try bench.ingress(packet)
            #expect(outcome.verdict == .drop)
            #expect(outcome.reasons == ["drop_wrong_source": 1])
        }

        @Test("one source without others: filtered by address and by UDP port")
        func filter() throws {
            let bench = try TestBench()
            var key = try bench.key(for: Packet())
            key.source = IPAddress(10, 1, 0, 7)
            key.sourceUDPPort = 5000
            try bench.route(key, FlowParameters(unknownSource: .drop), legs: [bench.leg()])
            #expect(try bench.ingress(Packet()).verdict == .redirect)
            var packet = Packet(source: "10.1.0.8")
            #expect(try bench.ingress(packet).reasons == ["drop_wrong_source": 1])
            packet = Packet(sourcePort: 5001)
            #expect(try bench.ingress(packet).reasons == ["drop_wrong_source": 1])
            let flow = try bench.onlyFlow()
            #expect(flow.wrongSourcePackets == 2)
            #expect(flow.packets == 1)
        }

        @Test("M-16: a removed route drains, and its destination can be used again")
        func draining() throws {
            let bench = try TestBench()
            let handle = try bench.route(for: Packet(), legs: [bench.leg()])
            #expect(try bench.ingress(Packet()).verdict == .redirect)
            #expect(try bench.thread.run { bench.fastPath.drainFlow(handle) } == true)
            for _ in 0..<3 {
                let outcome = try bench.ingress(Packet())
                #expect(outcome.verdict == .drop)
                #expect(outcome.reasons == ["drop_draining": 1])
            }
            #expect(bench.fastPath.drainedPackets(at: bench.input) == 3)
            // The same destination while it drains: a flow with counters of its own.
            let leg = try bench.leg("239.7.0.1")
            let again = try bench.route(for: Packet(), legs: [leg])
            #expect(again != handle)
            #expect(try bench.ingress(Packet()).frame == Packet().sent(by: leg).bytes)
            #expect(try bench.onlyFlow().packets == 1)
            // An old handle changes nothing.
            try bench.thread.run { try bench.fastPath.setLegs([], of: handle) }
            #expect(try bench.ingress(Packet()).verdict == .redirect)
            #expect(try bench.thread.run { bench.fastPath.drainFlow(again) } == true)
            let key = try bench.key(for: Packet())
            try bench.thread.run { bench.fastPath.finishDraining(key) }
            #expect(try bench.ingress(Packet()).reasons == ["pass_not_ours": 1])
        }

        @Test("guards: what is ours and has no flow never reaches the host")
        func guards() throws {
            let bench = try TestBench()
            let group = try #require(IPAddress(Packet().destination))
            let node = Packet(destination: "10.1.0.1")
            let address = try #require(IPAddress(node.destination))
            var tagged = Packet()
            tagged.tags = [.init(9)]
            try bench.thread.run {
                try bench.fastPath.guardGroup(group, interfaceIndex: bench.interface, vlans: [])
                try bench.fastPath.guardGroup(group, interfaceIndex: bench.interface, vlans: [])
                try bench.fastPath.guardAddress(address, udpPort: 5004)
            }
            // A joined group: every UDP port of it, on its interface and VLAN.
            #expect(try bench.ingress(Packet()).reasons == ["drop_no_flow": 1])
            #expect(try bench.ingress(Packet(destinationPort: 1)).reasons == ["drop_no_flow": 1])
            #expect(try bench.ingress(tagged).reasons == ["pass_not_ours": 1])
            #expect(try bench.ingress(Packet(destination: "239.1.1.11")).reasons == ["pass_not_ours": 1])
            // A reserved UDP port: on every interface and VLAN, the port alone.
            #expect(try bench.ingress(node).reasons == ["drop_wrong_port": 1])
            tagged.destination = node.destination
            #expect(try bench.ingress(tagged).reasons == ["drop_wrong_port": 1])
            #expect(try bench.ingress(Packet(destination: "10.1.0.1", destinationPort: 5006)).verdict == .pass)
            // A flow beside a guard goes first.
            try bench.route(for: Packet(), legs: [bench.leg()])
            #expect(try bench.ingress(Packet()).verdict == .redirect)
            #expect(try bench.ingress(Packet(destinationPort: 1)).reasons == ["drop_no_flow": 1])
            // Two asked for the group's guard: it goes with the second.
            func unguard() throws {
                try bench.thread.run {
                    bench.fastPath.unguardGroup(group, interfaceIndex: bench.interface, vlans: [])
                }
            }
            try unguard()
            #expect(try bench.ingress(Packet(destinationPort: 1)).reasons == ["drop_no_flow": 1])
            try unguard()
            #expect(try bench.ingress(Packet(destinationPort: 1)).reasons == ["pass_not_ours": 1])
        }

        @Test(
            "a flow knows its route, and its place among the route's sources, in whatever slot it is, and over a change of process"
        )
        func route() throws {
            let bench = try TestBench()
            let (first, second) = (UUID(), UUID())
            func label(_ identifier: UUID?, _ number: UInt16) -> FlowLabel {
                FlowLabel(
                    route: "route", from: "\(number)", accounting: 0, identifier: identifier, sourceNumber: number)
            }
            var key = try bench.key(for: Packet())
            // Two sources of one route, of which the second has a slot with its address; and a flow of no route.
            let other = try bench.key(for: Packet(destination: "239.1.1.11"))
            let flows = try bench.thread.run {
                let one = try bench.fastPath.installFlow(
                    key, TestBench.plain, port: bench.input, label: label(first, 0))
                key.source = IPAddress(10, 1, 0, 8)
                let two = try bench.fastPath.installFlow(
                    key, TestBench.plain, port: bench.input, label: label(first, 1))
                let none = try bench.fastPath.installFlow(
                    other, TestBench.plain, port: bench.input, label: label(nil, 0))
                return [one, two, none]
            }
            func found() throws -> [FoundFlow] {
                let all = try bench.thread.run { try FastPath(pins: bench.pins, name: "bench").foundFlows() }
                return try flows.map { flow in try #require(all.first { $0.handle == flow }) }
            }
            #expect(try found().map(\.identifier) == [first, first, nil])
            #expect(try found().map(\.sourceNumber) == [0, 1, 0])
            try bench.thread.run { bench.fastPath.setLabel(label(second, 7), of: flows[0]) }
            #expect(try found().map(\.identifier) == [second, first, nil])
            #expect(try found().map(\.sourceNumber) == [7, 1, 0])
        }
    }
}
