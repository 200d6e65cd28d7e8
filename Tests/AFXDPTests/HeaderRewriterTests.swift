// The engine's header rewriting against the kernel engine's own lines, compiled natively, over random frames and legs.

import CrosspointShim
import TestSupport
import Testing

@testable import AFXDP
@testable import FastPath

@Suite("Header rewriting of the AF_XDP engine")
struct HeaderRewriterTests {
    /// One random frame, leg and what ingress says of them.
    private struct Trial {
        var frame: [UInt8]
        var l3: Int
        var isIPv6: Bool
        var isRTP: Bool
        var leg: crosspoint_leg
        var detail: crosspoint_leg_detail

        init(_ random: inout SeededGenerator) {
            isIPv6 = Bool.random(using: &random)
            let tags = Int.random(in: 0...2, using: &random)
            l3 = 14 + 4 * tags
            isRTP = Bool.random(using: &random)
            let ip = isIPv6 ? 40 : 20
            frame = (0..<(l3 + ip + 8 + Int.random(in: 0...64, using: &random))).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if Int.random(in: 0..<8, using: &random) == 0 {
                frame[l3 + ip + 6] = 0
                frame[l3 + ip + 7] = 0
            }
            leg = crosspoint_leg()
            withUnsafeMutableBytes(of: &leg) { bytes in
                for index in bytes.indices { bytes[index] = UInt8.random(in: 0...255, using: &random) }
            }
            leg.flags &=
                CROSSPOINT_LEG_KEEP_SOURCE.rawValue | CROSSPOINT_LEG_KEEP_SOURCE_PORT.rawValue
                | CROSSPOINT_LEG_RTP.rawValue | CROSSPOINT_LEG_SET_PAYLOAD_TYPE.rawValue
                | CROSSPOINT_LEG_SET_SSRC.rawValue
            leg.tag_count = UInt8(Int.random(in: 0...2, using: &random))
            leg.l3_offset = 14 + 4 * leg.tag_count
            leg.payload_type &= 0x7f
            if leg.flags & CROSSPOINT_LEG_KEEP_SOURCE_PORT.rawValue != 0 { leg.source_port = 0 }
            leg.dscp_keep = Bool.random(using: &random) ? 0xff : 0x03
            leg.dscp_set = leg.dscp_keep == 0xff ? 0 : leg.dscp_set & 0xfc
            detail = crosspoint_leg_detail()
            withUnsafeMutableBytes(of: &detail) { bytes in
                for index in bytes.indices { bytes[index] = UInt8.random(in: 0...255, using: &random) }
            }
        }

        /// As ingress notes it.
        var note: UInt32 {
            var note = UInt32(l3) | (isIPv6 ? CROSSPOINT_FRAME_IPV6.rawValue : 0)
            if isRTP { note |= CROSSPOINT_FRAME_RTP.rawValue }
            if !isIPv6 {
                let (source, destination) = frame.withUnsafeBytes {
                    (
                        $0.loadUnaligned(fromByteOffset: l3 + 12, as: UInt32.self),
                        $0.loadUnaligned(fromByteOffset: l3 + 16, as: UInt32.self)
                    )
                }
                let without = HeaderRewriter.fold(UInt64(~source) + UInt64(~destination))
                note |= UInt32(without) << UInt32(CROSSPOINT_FRAME_WITHOUT.rawValue)
            }
            return note
        }

        /// The frame by the engine; nil when it cannot be.
        func byEngine() -> [UInt8]? {
            let headroom = 64
            var room = [UInt8](repeating: 0xee, count: headroom) + frame
            return room.withUnsafeMutableBytes { bytes -> [UInt8]? in
                withUnsafePointer(to: leg) { leg in
                    withUnsafePointer(to: detail) { detail -> [UInt8]? in
                        let start = bytes.baseAddress.unsafelyUnwrapped + headroom
                        let outcome = HeaderRewriter.rewrite(
                            start, length: frame.count, leg, detail, flags: leg.pointee.flags, frame: note)
                        guard outcome == .written else { return nil }
                        let growth = HeaderRewriter.growth(leg, flags: leg.pointee.flags, frame: note)
                        #expect(
                            bytes[..<min(headroom, headroom - growth)].allSatisfy { $0 == 0xee },
                            "written in front of the frame")
                        return Array(bytes[(headroom - growth)...])
                    }
                }
            }
        }

        /// The frame by bpf/rewrite.h; nil when it cannot be.
        func byKernel() -> [UInt8]? {
            var moved = [UInt8](repeating: 0, count: Int(leg.l3_offset)) + frame[l3...]
            let result = moved.withUnsafeMutableBytes { bytes in
                withUnsafePointer(to: leg) { leg in
                    withUnsafePointer(to: detail) { detail in
                        crosspoint_native_rewrite(
                            bytes.baseAddress, bytes.count, leg, detail, isIPv6 ? 1 : 0, isRTP ? 1 : 0)
                    }
                }
            }
            return result == 0 ? moved : nil
        }
    }

    @Test func writesWhatTheKernelEngineWrites() {
        var random = SeededGenerator(seed: 5)
        var (written, refused) = (0, 0)
        for number in 0..<20_000 {
            let trial = Trial(&random)
            let (mine, theirs) = (trial.byEngine(), trial.byKernel())
            guard mine == theirs else {
                Issue.record(
                    "trial \(number): \(trial): \(String(describing: mine)) instead of \(String(describing: theirs))")
                return
            }
            if mine == nil { refused += 1 } else { written += 1 }
        }
        #expect(written > 10_000 && refused > 100, "\(written) written, \(refused) refused: too few of one kind")
    }

    @Test(arguments: [0, 1, 2, 3, 7, 8, 9, 1400, 1401])
    func sumsLikeTheRFC(count: Int) {
        var random = SeededGenerator(seed: UInt64(count) + 1)
        var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        let sum = bytes.withUnsafeMutableBytes { buffer in
            var empty: UInt64 = 0
            return withUnsafeMutableBytes(of: &empty) {
                DatagramChecksum.sum(buffer.baseAddress ?? $0.baseAddress.unsafelyUnwrapped, count)
            }
        }
        // Words as they lie in memory, against words in network order.
        #expect(UInt16(bigEndian: sum) == InternetChecksum.sum(bytes))
    }
}
