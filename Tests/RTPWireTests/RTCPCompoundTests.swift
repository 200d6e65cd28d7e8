// RTCP on the wire.

import RTPWire
import TestSupport
import Testing

@Suite("RTCP: compound packets")
struct RTCPCompoundTests {
    static let report = ReceptionReport(
        ssrc: 0x0102_0304, fractionLost: 64, cumulativeLost: -2, extendedHighestSequence: 0x0001_fffe, jitter: 90,
        lastSenderReport: 0xaabb_ccdd, delaySinceLastSenderReport: 65_536)

    /// One packet of every kind.
    static let all = RTCPCompound([
        .senderReport(
            SenderReport(
                ssrc: 7, ntpTimestamp: NTPTimestamp(seconds: 1, fraction: 2), rtpTimestamp: 3, packetCount: 4,
                byteCount: 5, reports: [report])),
        .receiverReport(ReceiverReport(ssrc: 7, reports: [report, report])),
        .sourceDescription(
            SourceDescription(chunks: [
                .init(ssrc: 7, items: [.canonicalName("a@b"), .init(type: 2, value: [])]), .init(ssrc: 0, items: []),
                .init(ssrc: 8, items: [.canonicalName("abcdef")]),
            ])),
        .feedback(FeedbackPacket(kind: .transport, format: 1, ssrc: 7, media: 8, information: [0, 9, 0, 1])),
        .feedback(FeedbackPacket(kind: .application, format: 3, ssrc: 7, media: 0x4142_4344)),
        .other(type: 207, count: 0, contents: [0, 0, 0, 7]),
        .goodbye(Goodbye(ssrcs: [7, 8], reason: "over")), .goodbye(Goodbye(ssrcs: [])),
    ])

    @Test("M-07: a report, its SDES and a BYE are these bytes")
    func bytes() {
        let compound = RTCPCompound.report(
            ssrc: 7, canonicalName: "n1", reports: [Self.report], leaving: true, reason: "end")
        let expected: [UInt8] = [
            0x81, 201, 0, 7, 0, 0, 0, 7, 1, 2, 3, 4, 64, 0xff, 0xff, 0xfe, 0, 1, 0xff, 0xfe, 0, 0, 0, 90,
            0xaa, 0xbb, 0xcc, 0xdd, 0, 1, 0, 0,
            0x81, 202, 0, 3, 0, 0, 0, 7, 1, 2, 0x6e, 0x31, 0, 0, 0, 0,
            0x81, 203, 0, 2, 0, 0, 0, 7, 3, 0x65, 0x6e, 0x64,
        ]
        #expect(compound.bytes == expected)
    }

    @Test("M-07: every kind of packet comes back")
    func all() throws {
        let bytes = Self.all.bytes
        #expect(bytes.count.isMultiple(of: 4))
        #expect(try RTCPCompound(parsing: bytes) == Self.all)
        guard case .sourceDescription(let description) = Self.all.packets[2] else { return }
        #expect(description.canonicalName(of: 8) == "abcdef" && description.canonicalName(of: 0) == nil)
    }

    @Test("M-07: padding is accepted on the last packet only, and removed")
    func padding() throws {
        let plain = RTCPCompound.report(ssrc: 7, canonicalName: "n").bytes
        var padded = plain
        padded[8] |= 0x20
        padded[11] += 2
        padded += [0, 0, 0, 0, 0, 0, 0, 8]
        #expect(try RTCPCompound(parsing: padded).bytes == plain)
        var first = plain
        first[0] |= 0x20
        #expect(throws: RTCPError.padding) { try RTCPCompound(parsing: first) }
        for count in [0, 3, 6, 24, 255] as [UInt8] {
            padded[padded.count - 1] = count
            #expect(throws: RTCPError.padding) { try RTCPCompound(parsing: padded) }
        }
    }

    @Test(
        "M-07: what appendix A.2 excludes is refused",
        arguments: [
            ([], .truncated), ([0x80], .truncated), ([0x80, 201, 0, 1, 0, 0, 0], .truncated),
            ([0x80, 201, 0, 1, 0, 0, 0, 7, 0x80], .truncated), ([0x40, 201, 0, 1, 0, 0, 0, 7], .version),
            ([0x80, 201, 0, 1, 0, 0, 0, 7, 0, 202, 0, 0], .version), ([0x80, 202, 0, 0], .noReport),
            ([0x81, 201, 0, 1, 0, 0, 0, 7], .malformed(type: 201)),
            ([0x80, 200, 0, 1, 0, 0, 0, 7], .malformed(type: 200)),
            ([0x80, 201, 0, 1, 0, 0, 0, 7, 0x81, 202, 0, 2, 0, 0, 0, 7, 1, 9, 0, 0], .malformed(type: 202)),
            ([0x80, 201, 0, 1, 0, 0, 0, 7, 0x82, 203, 0, 1, 0, 0, 0, 7], .malformed(type: 203)),
            ([0x80, 201, 0, 1, 0, 0, 0, 7, 0x81, 203, 0, 2, 0, 0, 0, 7, 4, 0, 0, 0], .malformed(type: 203)),
            ([0x80, 201, 0, 1, 0, 0, 0, 7, 0x81, 206, 0, 1, 0, 0, 0, 7], .malformed(type: 206)),
        ] as [([UInt8], RTCPError)])
    func refused(bytes: [UInt8], error: RTCPError) {
        #expect(throws: error) { try RTCPCompound(parsing: bytes) }
    }

    @Test("M-07: a profile's extension of a report is kept; RFC 5506: another packet first, if that was agreed")
    func variants() throws {
        let extended: [UInt8] = [0x80, 201, 0, 2, 0, 0, 0, 7, 1, 2, 3, 4]
        #expect(try RTCPCompound(parsing: extended).bytes == extended)
        let reduced = RTCPCompound([.feedback(FeedbackPacket(kind: .payload, format: 1, ssrc: 1, media: 2))])
        #expect(try RTCPCompound(parsing: reduced.bytes, allowsReducedSize: true) == reduced)
    }

    @Test("M-07: more than 31 blocks go into more packets, more than 128 packets are refused")
    func many() throws {
        let reports = (0..<70).map { ReceptionReport(ssrc: UInt32($0)) }
        let compound = RTCPCompound.report(
            ssrc: 7, canonicalName: "n",
            sender: SenderReport(
                ssrc: 0, ntpTimestamp: NTPTimestamp(seconds: 0, fraction: 0), rtpTimestamp: 0, packetCount: 0,
                byteCount: 0),
            reports: reports)
        let blocks = try RTCPCompound(parsing: compound.bytes).packets.map { packet -> [ReceptionReport] in
            switch packet {
            case .senderReport(let report): report.ssrc == 7 ? report.reports : []
            case .receiverReport(let report): report.ssrc == 7 ? report.reports : []
            default: []
            }
        }
        #expect(blocks.map(\.count) == [31, 31, 8, 0] && blocks.flatMap { $0 } == reports)
        let empty: [UInt8] = [0x80, 201, 0, 1, 0, 0, 0, 7]
        #expect(throws: RTCPError.tooMany) {
            try RTCPCompound(parsing: [[UInt8]](repeating: empty, count: 129).flatMap { $0 })
        }
    }

    @Test("Any bytes: an error, or packets that come back")
    func random() throws {
        var generator = SeededGenerator(seed: 3550)
        let start = Self.all.bytes
        var accepted = 0
        for _ in 0..<4000 {
            var bytes = start
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0...40, using: &generator)) }
            guard let compound = try? RTCPCompound(parsing: bytes) else { continue }
            accepted += 1
            #expect(try RTCPCompound(parsing: compound.bytes) == compound)
        }
        #expect(accepted > 200)
    }
}
