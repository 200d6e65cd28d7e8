// Frames of random bytes, and damaged ones: nothing is forwarded that no flow asks for.

import CrosspointShim
import RTPWire
import TestSupport
import Testing

@testable import FastPath

extension FastPathSuite {
    @Suite("Random frames")
    struct RandomFrameTests {
        /// 20,000 frames, most of them almost right.
        static func frames(_ random: inout SeededGenerator) -> [[UInt8]] {
            let seeds: [[UInt8]] = [
                Packet().bytes, Packet.ipv6().bytes,
                {
                    var packet = Packet()
                    packet.tags = [.init(5, protocolNumber: 0x88a8), .init(6)]
                    packet.rtp?.extension = .oneByte
                    packet.rtp?.padding = 4
                    return packet.bytes
                }(),
                {
                    var packet = Packet.ipv6()
                    packet.extensionHeaders = [.hopByHop]
                    return packet.bytes
                }(),
            ]
            return (0..<20_000).map { number in
                if number % 4 == 0 {
                    let count = Int.random(in: 14...200, using: &random)
                    return (0..<count).map { _ in .random(in: 0...255, using: &random) }
                }
                var frame = seeds[number % seeds.count]
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    let offset = Int.random(in: 0..<min(frame.count, 80), using: &random)
                    frame[offset] = .random(in: 0...255, using: &random)
                }
                if number % 3 == 0 { frame.removeLast(Int.random(in: 0..<(frame.count - 14), using: &random)) }
                return frame
            }
        }

        @Test("M-01: only what matches a flow is redirected; kernel and native parsing agree")
        func random() throws {
            let bench = try TestBench()
            try bench.route(for: Packet(), legs: [bench.leg()])
            try bench.route(for: Packet.ipv6(), legs: [bench.leg("2001:db8:2::5")])
            var random = SeededGenerator(seed: 2110)
            let frames = Self.frames(&random)
            let reasons = bench.fastPath.reasonCounts
            let port = Int(bench.input.number)
            let processors = bench.fastPath.lanes
            // The reason that one frame raised, by the counters' own words: a snapshot for each would take long.
            func counts() -> [UInt64] {
                (0..<processors).reduce(into: [UInt64](repeating: 0, count: DropReason.all.count)) { sum, processor in
                    withUnsafeBytes(of: reasons[processor * Int(CROSSPOINT_MAX_PORTS) + port].pointee.packets) {
                        let words = $0.bindMemory(to: UInt64.self)
                        for index in sum.indices { sum[index] += words[index] }
                    }
                }
            }
            var forwarded = 0
            try bench.thread.run {
                var before = counts()
                for frame in frames {
                    let result = try bench.fastPath.runIngress(frame: frame, interfaceIndex: bench.interface)
                    let after = counts()
                    let raised = after.indices.first { after[$0] != before[$0] }
                    before = after
                    let native = crosspoint_native_parse(frame, frame.count)
                    if native >= 0 {
                        try Self.require(raised == Int(native) && result.verdict == .pass, frame)
                    } else if result.verdict == .redirect {
                        forwarded += 1
                        try Self.require(Self.isOurs(frame), frame)
                    } else {
                        // A reason of its own, not one of the parser's.
                        try Self.require(raised != nil, frame)
                        if result.verdict == .pass { try Self.require(result.frame == frame, frame) }
                    }
                }
            }
            // Damage to bytes that nobody looks at leaves a packet that belongs to a flow.
            #expect(forwarded > 1000)
            #expect(try bench.portStatistics("in0").receivedPackets == UInt64(frames.count))
        }

        private struct Mismatch: Error, CustomStringConvertible {
            var frame: [UInt8]
            var description: String {
                "frame " + frame.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            }
        }

        private static func require(_ condition: Bool, _ frame: [UInt8]) throws {
            if !condition { throw Mismatch(frame: frame) }
        }

        private static func isOurs(_ frame: [UInt8]) -> Bool {
            guard let parsed = ParsedFrame(frame), parsed.vlans.isEmpty, parsed.destinationPort == 5004,
                parsed.timeToLive > 1
            else { return false }
            let ours = parsed.isIPv6 ? Packet.ipv6() : Packet()
            return parsed.destination == Packet.addressBytes(ours.destination)
                && parsed.sourceMAC != Packet.macBytes("02:00:00:00:00:01") && parsed.payload.count >= 8
                && parsed.payload[0] >> 6 == 2
        }
    }
}
