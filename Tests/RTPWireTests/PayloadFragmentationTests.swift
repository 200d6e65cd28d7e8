// Packets that are split, put together again as a receiver does it.

import RTPWire
import Testing

@Suite("Payloads in fragments") struct PayloadFragmentationTests {
    private static func packet(_ payload: [UInt8], sequence: UInt16 = 65_530, header: [UInt8] = [0x80, 0xe0]) -> [UInt8]
    {
        header + [UInt8(sequence >> 8), UInt8(sequence & 0xff), 1, 2, 3, 4, 9, 9, 9, 9] + payload
    }

    private static func unit(_ header: [UInt8], _ length: Int) -> [UInt8] {
        header + (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    }

    /// The units that a receiver has of the packets' payloads, by RFC 6184 section 5 and RFC 7798 section 4.4.
    private static func units(_ packets: [[UInt8]], _ format: FragmentablePayload) -> [[UInt8]] {
        var units: [[UInt8]] = []
        for payload in packets.map({ Array($0[12...]) }) {
            let isFragment = format == .h264 ? payload[0] & 0x1f == 28 : payload[0] >> 1 == 49
            guard isFragment else {
                units.append(payload)
                continue
            }
            let flags = payload[format == .h264 ? 1 : 2]
            if flags & 0x80 != 0 {
                units.append(
                    format == .h264
                        ? [payload[0] & 0xe0 | flags & 0x1f] : [payload[0] & 0x81 | (flags & 0x3f) << 1, payload[1]])
            }
            units[units.count - 1] += payload[(format == .h264 ? 2 : 3)...]
        }
        return units
    }

    private func check(_ packet: [UInt8], _ format: FragmentablePayload, _ expected: [[UInt8]]) throws {
        let parts = try #require(format.split(packet, limit: 1400))
        #expect(parts.allSatisfy { $0.count <= 1400 })
        #expect(Self.units(parts, format) == expected)
        let first = UInt16(packet[2]) << 8 | UInt16(packet[3])
        #expect(
            parts.map { UInt16($0[2]) << 8 | UInt16($0[3]) } == parts.indices.map { first &+ UInt16($0) })
        #expect(parts.dropLast().allSatisfy { $0[1] & 0x80 == 0 } && parts.last.map { $0[1] } == packet[1])
        #expect(parts.allSatisfy { $0[4..<12] == packet[4..<12] })
    }

    @Test("C-21: a unit of H.264 in one packet becomes fragments, over the wrap of the sequence")
    func h264() throws {
        for length in [1388, 1389, 30_000, 65_000] {
            let unit = Self.unit([0x65], length)
            try check(Self.packet(unit), .h264, [unit])
        }
    }

    @Test("C-21: a unit of H.265 in one packet becomes fragments with its layer and time")
    func h265() throws {
        for length in [1387, 30_000] {
            let unit = Self.unit([0x26 | 1, 0x0b], length)
            try check(Self.packet(unit), .h265, [unit])
        }
    }

    @Test("C-21: aggregated units come one by one, and a long fragment in shorter ones")
    func aggregates() throws {
        let h264 = [Self.unit([0x67], 20), Self.unit([0x68], 5), Self.unit([0x65], 20_000)]
        func aggregate(_ header: [UInt8], _ units: [[UInt8]]) -> [UInt8] {
            units.reduce(header) { $0 + [UInt8($1.count >> 8), UInt8($1.count & 0xff)] + $1 }
        }
        try check(Self.packet(aggregate([0x78], h264)), .h264, h264)
        let h265 = [Self.unit([0x42, 1], 30), Self.unit([0x26, 1], 12_000)]
        try check(Self.packet(aggregate([0x60, 1], h265)), .h265, h265)
        let body = Self.unit([], 20_000)
        try check(Self.packet([0x7c, 0xc5] + body), .h264, [[0x65] + body])
        // The middle of a unit stays the middle.
        let middle = try #require(FragmentablePayload.h264.split(Self.packet([0x7c, 0x05] + body), limit: 1400))
        #expect(middle.allSatisfy { $0[13] == 0x05 })
        let end = try #require(FragmentablePayload.h265.split(Self.packet([0x62, 1, 0x53] + body), limit: 1400))
        #expect(end.dropLast().allSatisfy { $0[14] == 0x13 } && end.last?[14] == 0x53)
    }

    @Test("Padding goes, extensions and contributing sources stay with every part")
    func headers() throws {
        let unit = Self.unit([0x65], 9000)
        let extended =
            Self.packet([], header: [0xb1, 0x60]) + [7, 7, 7, 7] + [0xbe, 0xde, 0, 1, 0x10, 5, 0, 0] + unit + [0, 0, 3]
        let parts = try #require(FragmentablePayload.h264.split(extended, limit: 1400))
        #expect(parts.allSatisfy { $0[0] == 0x91 && $0[12..<24] == extended[12..<24] && $0.count <= 1400 })
        #expect(parts.reduce(0) { $0 + $1.count - 26 } == 9000)
    }

    @Test("What is no RTP, has no unit, or has another form is left alone")
    func others() {
        let long = Self.unit([], 9000)
        for (payload, format) in [
            ([0x7d] + long, FragmentablePayload.h264), ([0x78, 0xff, 0xff] + long, .h264), ([0x79] + long, .h264),
            ([50 << 1, 1] + long, .h265), ([0x60, 1, 0, 9] + long, .h265),
        ] {
            #expect(format.split(Self.packet(payload), limit: 1400) == nil)
        }
        for bytes in [[], [0x80], Self.packet([]), [0x40] + Self.packet(long), Self.packet(long, header: [0x9f, 96])] {
            _ = FragmentablePayload.h264.split(Array(bytes), limit: 1400)
        }
        #expect(FragmentablePayload.h264.split(Self.packet(long, header: [0x00, 96]), limit: 1400) == nil)
        #expect(FragmentablePayload(encodingName: "raw") == nil)
    }
}
