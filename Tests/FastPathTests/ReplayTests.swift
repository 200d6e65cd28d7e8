// Real captures, replayed through the ingress program: what is counted, and that payloads stay what they are.

import FastPath
import RTPWire
import TestSupport
import Testing

extension FastPathSuite {
    @Suite("Replay of captures", .enabled(if: Corpus.isPresent, "\(Corpus.reason)"))
    struct ReplayTests {
        /// The frame with as many bytes as were on the wire: some captures keep headers only.
        static func whole(_ record: CaptureFile.Record) -> [UInt8] {
            record.bytes + [UInt8](repeating: 0, count: record.originalLength - record.bytes.count)
        }

        private func install(_ stream: CaptureStream, _ bench: TestBench) throws -> LegParameters {
            var leg = try bench.leg()
            leg.dscp = 34
            let key = FlowKey(
                interfaceIndex: bench.interface, destination: try #require(IPAddress(stream.destination)),
                udpPort: stream.udpPort)
            try bench.route(
                key, FlowParameters(clockRate: stream.clockRate, packetRate: stream.packetRate), legs: [leg])
            return leg
        }

        @Test(
            "M-11: every packet comes out with its payload, checksums in order, and is counted",
            arguments: CaptureStream.all)
        func replay(_ stream: CaptureStream) throws {
            let bench = try TestBench()
            let leg = try install(stream, bench)
            let packets = try stream.records()
            var wrong = 0
            var bytes: UInt64 = 0
            try bench.thread.run {
                for (record, frame, _) in packets {
                    var whole = Self.whole(record)
                    // One capture was taken before its sender's interface had computed the IP header checksum.
                    if !frame.headerChecksumHolds { Self.completeHeader(of: &whole, payloadAt: frame.payloadOffset) }
                    let result = try bench.fastPath.runIngress(frame: whole, interfaceIndex: bench.interface)
                    bytes += UInt64(whole.count)
                    guard result.verdict == .redirect, let out = ParsedFrame(result.frame),
                        out.headerChecksumHolds, out.hasChecksum == frame.hasChecksum,
                        out.timeToLive == frame.timeToLive - 1, out.trafficClass == frame.trafficClass & 3 | 34 << 2,
                        out.destination == leg.destination.bytes, out.destinationPort == leg.udpPort,
                        Array(result.frame.suffix(result.frame.count - out.payloadOffset))
                            == Array(whole.suffix(whole.count - frame.payloadOffset)),
                        !frame.hasChecksum || record.bytes.count < record.originalLength || !frame.checksumHolds
                            || out.checksumHolds
                    else {
                        wrong += 1
                        continue
                    }
                }
            }
            #expect(wrong == 0)
            let flow = try bench.onlyFlow()
            let statistics = try #require(flow.rtp)
            #expect(flow.packets == UInt64(stream.packets) && flow.bytes == bytes)
            #expect(statistics.receivedPackets == UInt64(stream.packets))
            #expect(statistics.lostPackets == 0 && statistics.reorderedPackets == 0 && statistics.duplicatePackets == 0)
            #expect(statistics.ssrc == packets.last?.rtp.ssrc)
            #expect(try bench.portStatistics("out0").transmittedCopies == UInt64(stream.packets))
        }

        /// Computes the header checksum of an IPv4 packet without options.
        private static func completeHeader(of frame: inout [UInt8], payloadAt payload: Int) {
            let header = payload - 28
            frame.replaceSubrange(header + 10..<header + 12, with: [0, 0])
            let field = InternetChecksum.field(InternetChecksum.sum(frame[header..<header + 20]))
            frame.replaceSubrange(header + 10..<header + 12, with: [UInt8(field >> 8), UInt8(field & 0xff)])
        }

        @Test("M-03: loss, reordering and duplicates made on the way are counted exactly")
        func damaged() throws {
            let stream = CaptureStream.all[2]
            let bench = try TestBench()
            _ = try install(stream, bench)
            var frames = try stream.records().map { Self.whole($0.record) }
            // From the end on, so that places stay what they are.
            for place in stride(from: 9_000, through: 1_000, by: -1_000) {
                frames.swapAt(place, place + 3)
                frames.insert(frames[place - 200], at: place - 180)
                frames.removeSubrange(place - 500..<place - 493)
            }
            try bench.thread.run {
                for frame in frames {
                    _ = try bench.fastPath.runIngress(frame: frame, interfaceIndex: bench.interface)
                }
            }
            let statistics = try #require(try bench.onlyFlow().rtp)
            #expect(statistics.expectedPackets == 10_000)
            #expect(statistics.receivedPackets == UInt64(10_000 - 9 * 7 + 9))
            #expect(statistics.lostPackets == 9 * 6)
            #expect(statistics.duplicatePackets == 9)
            // The first of four comes last, and the two between them after the one that was last.
            #expect(statistics.reorderedPackets == 9 * 3)
            #expect(statistics.largestGapPackets == 7)
            #expect(statistics.lossEvents == 9 * 2)
        }
    }
}
