// Legs that send nothing until they are opened, and flows whose source changes in place.

import FastPath
import RTPWire
import TestSupport
import Testing

extension FastPathSuite {
    @Suite("Shut legs and filters")
    struct ShutLegTests {
        private static let rtcp: Packet = {
            var packet = Packet(rtp: nil, payload: [0x80, 200, 0, 1, 0x12, 0x34, 0x56, 0x78])
            packet.destinationPort = 5005
            return packet
        }()

        @Test("a single leg: nothing is sent before it is opened, RTP or RTCP")
        func direct() throws {
            let bench = try TestBench()
            for (packet, payload) in [(Packet(), FlowParameters.Payload.rtp), (Self.rtcp, .rtcp)] {
                var leg = try bench.leg()
                leg.isShut = true
                let handle = try bench.route(for: packet, FlowParameters(payload: payload), legs: [leg])
                let before = try bench.ingress(packet)
                #expect(before.verdict == .drop && before.reasons == ["copy_gated": 1])
                try bench.thread.run { bench.fastPath.openLeg(leg.counter, gate: nil, of: handle) }
                let after = try bench.ingress(packet)
                #expect(after.verdict == .redirect && after.frame == packet.sent(by: leg).bytes)
            }
        }

        @Test("what may leave encrypted only does not leave by the kernel engine")
        func protected() throws {
            let bench = try TestBench()
            var leg = try bench.leg()
            leg.isProtected = true
            let handle = try bench.route(for: Packet(), legs: [leg])
            #expect(try bench.ingress(Packet()).reasons == ["copy_no_worker": 1])
            // Nor with a gate that is open.
            try bench.thread.run { bench.fastPath.openLeg(leg.counter, gate: nil, of: handle) }
            #expect(try bench.ingress(Packet()).verdict == .drop)
        }

        @Test("opened at a sequence number, a leg begins with that packet, over the wrap")
        func gate() throws {
            let bench = try TestBench()
            var leg = try bench.leg()
            leg.isShut = true
            let handle = try bench.route(for: Packet(), legs: [leg])
            func verdict(_ sequence: UInt16) throws -> TestRunResult.Verdict {
                try bench.ingress(Packet(rtp: RTPPacket(sequence: sequence))).verdict
            }
            for sequence in UInt16(65_530)...65_533 { #expect(try verdict(sequence) == .drop) }
            let gate = LegParameters.Gate(sequence: 0x1_0001, deadline: .max)
            try bench.thread.run { bench.fastPath.openLeg(leg.counter, gate: gate, of: handle) }
            for sequence in [65_534, 65_535, 0] as [UInt16] { #expect(try verdict(sequence) == .drop) }
            for sequence in [2, 1, 3] as [UInt16] { #expect(try verdict(sequence) == .redirect) }
            // A late packet from before belongs to nobody's RTP-Info.
            #expect(try verdict(0) == .drop)
        }

        @Test("a gate whose deadline has passed holds nothing back")
        func deadline() throws {
            let bench = try TestBench()
            var leg = try bench.leg()
            leg.isShut = true
            let handle = try bench.route(for: Packet(), legs: [leg])
            let gate = LegParameters.Gate(sequence: 50_000, deadline: 1)
            try bench.thread.run { bench.fastPath.openLeg(leg.counter, gate: gate, of: handle) }
            #expect(try bench.ingress(Packet()).verdict == .redirect)
        }

        @Test(
            "in a group, one shut leg holds back its own copy, also after the group was made anew; opening finds it there"
        )
        func group() throws {
            let bench = try TestBench()
            let egress = try EgressBench(bench)
            var legs = try (0..<3).map { try bench.leg("239.2.0.\($0)", counter: UInt32($0)) }
            legs[1].isShut = true
            let handle = try bench.route(for: Packet(), legs: Array(legs.prefix(2)))
            func expect(_ shut: Set<UInt32>, _ legs: [LegParameters]) throws {
                let frame = try bench.ingress(Packet()).frame
                for leg in legs {
                    let copy = try egress.run(frame, output: 0)
                    #expect(copy.verdict == (shut.contains(leg.counter) ? .drop : .pass))
                    if copy.verdict == .pass {
                        #expect(copy.frame == Packet().sent(by: leg).bytes)
                    } else {
                        #expect(copy.reasons == ["copy_gated": 1])
                    }
                }
            }
            try expect([1], Array(legs.prefix(2)))
            try bench.thread.run { try bench.fastPath.setLegs(legs, of: handle) }
            try expect([1], legs)
            try bench.thread.run { bench.fastPath.openLeg(1, gate: nil, of: handle) }
            try expect([], legs)
        }

        @Test("in a group too a leg begins with the packet that it was opened at, over the wrap")
        func gateInGroup() throws {
            let bench = try TestBench()
            let egress = try EgressBench(bench)
            let open = try bench.leg("239.2.0.1", counter: 1)
            var shut = try bench.leg("239.2.0.2", counter: 2)
            shut.isShut = true
            let handle = try bench.route(for: Packet(), legs: [open, shut])
            func outcome(_ sequence: UInt16) throws -> TestBench.Outcome {
                let packet = Packet(rtp: RTPPacket(sequence: sequence))
                let frame = try bench.ingress(packet).frame
                #expect(try egress.run(frame, output: 0).frame == packet.sent(by: open).bytes)
                let copy = try egress.run(frame, output: 0)
                if copy.verdict == .pass { #expect(copy.frame == packet.sent(by: shut).bytes) }
                return copy
            }
            for sequence in UInt16(65_530)...65_533 { #expect(try outcome(sequence).reasons == ["copy_gated": 1]) }
            let gate = LegParameters.Gate(sequence: 0x1_0001, deadline: .max)
            try bench.thread.run { bench.fastPath.openLeg(2, gate: gate, of: handle) }
            for sequence in [65_534, 65_535, 0] as [UInt16] {
                #expect(try outcome(sequence).reasons == ["copy_gated": 1])
            }
            for sequence in [2, 1, 3] as [UInt16] { #expect(try outcome(sequence).verdict == .pass) }
        }

        @Test("another filter in place: the flow's counters and legs go on, and only the source that it names is taken")
        func filter() throws {
            let bench = try TestBench()
            let handle = try bench.route(for: Packet(), legs: [bench.leg()])
            var (mine, other) = (Packet(), Packet())
            mine.sourcePort = 6000
            other.source = "10.1.0.8"
            var key = try bench.key(for: Packet())
            func change(_ source: String?, _ port: UInt16?) throws {
                key.source = source.flatMap { IPAddress($0) }
                key.sourceUDPPort = port
                let label = FlowLabel(route: "route1", from: "\(source ?? "any")", accounting: 0)
                try bench.thread.run { bench.fastPath.changeFilter(key, label: label, of: handle) }
            }
            func verdicts() throws -> [TestRunResult.Verdict] {
                try [Packet(), mine, other].map { try bench.ingress($0).verdict }
            }
            #expect(try verdicts() == [.redirect, .redirect, .redirect])
            try change("10.1.0.7", nil)
            #expect(try verdicts() == [.redirect, .redirect, .drop])
            try change("10.1.0.7", 6000)
            #expect(try verdicts() == [.drop, .redirect, .drop])
            try change("10.1.0.8", nil)
            #expect(try verdicts() == [.drop, .drop, .redirect])
            try change(nil, nil)
            #expect(try verdicts() == [.redirect, .redirect, .redirect])
            let flow = try bench.onlyFlow()
            #expect(flow.packets == 10 && flow.wrongSourcePackets == 5 && flow.from == "any")
        }
    }
}
