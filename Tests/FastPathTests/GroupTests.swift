// Several legs: which copy gets which headers, whatever is missing and however copies interleave.

import CrosspointShim
import RTPWire
import TestSupport
import Testing

@testable import FastPath

extension FastPathSuite {
    @Suite("Groups")
    struct GroupTests {
        @Test("each output's copies get its own legs, in order, however outputs interleave", arguments: 0..<6)
        func ordinals(seed: Int) throws {
            let bench = try TestBench()
            let egress = try EgressBench(bench)
            var random = SeededGenerator(seed: UInt64(seed))
            var legs: [LegParameters] = []
            for number in 0..<Int.random(in: 2...40, using: &random) {
                var leg = try bench.leg("239.2.0.\(number)", output: .random(in: 0...1, using: &random))
                leg.vlans = number % 3 == 0 ? [] : [UInt16(number)]
                legs.append(leg)
            }
            try bench.route(for: Packet(), legs: legs)
            for sequence in UInt16(0)..<20 {
                let packet = Packet(rtp: RTPPacket(sequence: sequence))
                let outcome = try bench.ingress(packet)
                #expect(outcome.verdict == .redirect)
                // In some rounds an output is down: the kernel leaves out all of its copies.
                let isDown = sequence % 4 == 1 ? 0 : sequence % 4 == 2 ? 1 : -1
                var left = (0...1).map { output in
                    output == isDown ? [] : legs.filter { $0.port == bench.outputs[output].number }
                }
                while let output = (0...1).filter({ !left[$0].isEmpty }).randomElement(using: &random) {
                    let leg = left[output].removeFirst()
                    let copy = try egress.run(outcome.frame, output: output)
                    #expect(copy.frame == packet.sent(by: leg).bytes)
                }
            }
        }

        @Test("a copy at an output without legs is not sent")
        func wrongOutput() throws {
            let bench = try TestBench()
            let egress = try EgressBench(bench)
            try bench.route(for: Packet(), legs: [bench.leg(), bench.leg("10.2.0.6")])
            let outcome = try bench.ingress(Packet())
            let copy = try egress.run(outcome.frame, output: 1)
            #expect(copy.verdict == .drop)
            #expect(copy.reasons == ["copy_no_leg": 1])
        }

        @Test("a frame without a note has its headers already")
        func direct() throws {
            let bench = try TestBench()
            let copy = try EgressBench(bench).run(Packet().bytes, output: 0)
            #expect(copy.verdict == .pass)
            #expect(copy.frame == Packet().bytes)
            #expect(copy.reasons == [:])
        }

        @Test("M-16: packets on their way keep the set of legs that they were given")
        func changeUnderWay() throws {
            let bench = try TestBench()
            let egress = try EgressBench(bench)
            let old = [try bench.leg(), try bench.leg("10.2.0.6")]
            let new = [try bench.leg("239.9.0.1"), try bench.leg("239.9.0.2"), try bench.leg("239.9.0.3", output: 1)]
            let handle = try bench.route(for: Packet(), legs: old)
            let before = try bench.ingress(Packet())
            try bench.thread.run { try bench.fastPath.setLegs(new, of: handle) }
            for leg in old {
                let copy = try egress.run(before.frame, output: 0)
                #expect(copy.frame == Packet().sent(by: leg).bytes)
            }
            let after = try bench.ingress(Packet())
            for (leg, output) in zip(new, [0, 0, 1]) {
                let copy = try egress.run(after.frame, output: output)
                #expect(copy.frame == Packet().sent(by: leg).bytes)
            }
        }

        @Test("512 legs, and not one more")
        func limit() throws {
            let bench = try TestBench()
            let handle = try bench.route(for: Packet())
            let leg = try bench.leg()
            let most = [LegParameters](repeating: leg, count: 512)
            try bench.thread.run { try bench.fastPath.setLegs(most, of: handle) }
            #expect(try bench.ingress(Packet()).verdict == .redirect)
            #expect(try bench.portStatistics("in0").requestedCopies == 512)
            #expect(throws: FastPathError.self) {
                try bench.thread.run { try bench.fastPath.setLegs(most + [leg], of: handle) }
            }
            // The refused set changed nothing.
            #expect(try bench.ingress(Packet()).verdict == .redirect)
            #expect(try bench.portStatistics("in0").requestedCopies == 1024)
        }
    }
}
