// Reports from statistics, and their translation.

import RTPWire
import Testing

@Suite("RTCP: reports")
struct RTCPReportTests {
    private func make(
        _ expected: UInt64, _ received: UInt64, after previous: (UInt64, UInt64) = (0, 0), highest: UInt64 = 0,
        jitter: UInt64 = 0, clockRate: UInt32 = 90_000, last: ReceptionReport.LastSenderReport? = nil, now: UInt64 = 0
    ) -> ReceptionReport {
        ReceptionReport.make(
            ssrc: 1, extendedHighestSequence: highest, counts: .init(expected: expected, received: received),
            previous: .init(expected: previous.0, received: previous.1), jitterNanoseconds: jitter,
            clockRate: clockRate,
            lastSenderReport: last, now: now)
    }

    @Test(
        "M-03: loss since the last report and in all, negative and clamped",
        arguments: [
            (100, 100, 0, 0, 0, 0), (100, 75, 0, 0, 64, 25), (200, 175, 100, 75, 0, 25), (100, 110, 0, 0, 0, -10),
            (200, 150, 100, 0, 0, 50), (100, 0, 0, 0, 255, 100), (100, 99, 100, 99, 0, 1), (10, 5, 100, 99, 0, 5),
            (20_000_000, 0, 0, 0, 255, 0x7f_ffff), (0, 20_000_000, 0, 0, 0, -0x80_0000), (3, 2, 0, 0, 85, 1),
        ] as [(UInt64, UInt64, UInt64, UInt64, UInt8, Int32)])
    func loss(
        expected: UInt64, received: UInt64, expectedBefore: UInt64, receivedBefore: UInt64, fraction: UInt8, lost: Int32
    ) throws {
        let report = make(expected, received, after: (expectedBefore, receivedBefore))
        #expect(report.fractionLost == fraction && report.cumulativeLost == lost)
        let bytes = RTCPCompound([.receiverReport(ReceiverReport(ssrc: 2, reports: [report]))]).bytes
        let expectedPackets = [RTCPPacket.receiverReport(ReceiverReport(ssrc: 2, reports: [report]))]
        #expect(try RTCPCompound(parsing: bytes).packets == expectedPackets)
    }

    @Test("M-05: LSR, DLSR in 1/65536 s, jitter in units of the timestamp; zeros without a sender report")
    func delays() {
        let last = ReceptionReport.LastSenderReport(middle: 0x1234_5678, arrival: 5_000_000_000)
        let report = make(0, 0, highest: 0x7_0001_fffe, jitter: 1_000_000, last: last, now: 6_500_000_000)
        #expect(report.lastSenderReport == 0x1234_5678 && report.delaySinceLastSenderReport == 98_304)
        #expect(report.extendedHighestSequence == 0x0001_fffe && report.jitter == 90)
        let none = make(0, 0, jitter: 20_833, clockRate: 48_000, now: 6_500_000_000)
        #expect(none.lastSenderReport == 0 && none.delaySinceLastSenderReport == 0 && none.jitter == 0)
        #expect(make(0, 0, jitter: .max, clockRate: .max).jitter == .max)
        #expect(make(0, 0, last: last, now: 1).delaySinceLastSenderReport == 0)
        #expect(make(0, 0, last: last, now: 1 << 60).delaySinceLastSenderReport == .max)
    }

    @Test("M-05: the round trip time, also where the middle of the NTP time wraps")
    func roundTrip() {
        // The example of RFC 3550 section 6.4.1, figure 2.
        var report = ReceptionReport(ssrc: 1, lastSenderReport: 0xb705_2000, delaySinceLastSenderReport: 0x0005_4000)
        #expect(report.roundTripTime(arrivalMiddle: 0xb710_8000) == 0x0006_2000)
        report.lastSenderReport = 0xffff_ff00
        report.delaySinceLastSenderReport = 0x80
        #expect(report.roundTripTime(arrivalMiddle: 0x100) == 0x180)
        #expect(report.roundTripTime(arrivalMiddle: 0xffff_ff10) == 0)
        report.lastSenderReport = 0
        #expect(report.roundTripTime(arrivalMiddle: 5) == nil)
    }

    @Test("M-05: NTP time from Unix time, and its middle")
    func ntp() {
        #expect(NTPTimestamp(unixNanoseconds: 0) == NTPTimestamp(seconds: 2_208_988_800, fraction: 0))
        let time = NTPTimestamp(unixNanoseconds: 1_500_000_000)
        #expect(time == NTPTimestamp(seconds: 2_208_988_801, fraction: 0x8000_0000))
        #expect(time.middle == UInt32(2_208_988_801 & 0xffff) << 16 | 0x8000)
        // The era ends on 7 February 2036.
        #expect(NTPTimestamp(unixNanoseconds: 2_085_978_496_000_000_000).seconds == 0)
    }

    static let translation = RTCPTranslation(
        sourceSSRC: 0x1111, legSSRC: 0x2222, sequenceOffset: 10, timestampOffset: 0xffff_fff0)

    @Test("M-06: towards receivers, the source has the leg's SSRC and timestamps in every kind of packet")
    func toReceivers() {
        func sent(_ ssrc: UInt32, _ timestamp: UInt32) -> RTCPCompound {
            let about = ReceptionReport(ssrc: 0x9999, extendedHighestSequence: 5)
            return RTCPCompound([
                .senderReport(
                    SenderReport(
                        ssrc: ssrc, ntpTimestamp: NTPTimestamp(seconds: 1, fraction: 2), rtpTimestamp: timestamp,
                        packetCount: 3, byteCount: 4, reports: [about])),
                .sourceDescription(
                    SourceDescription(chunks: [
                        .init(ssrc: ssrc, items: [.canonicalName("camera")]), .init(ssrc: 0x9999, items: []),
                    ])),
                .receiverReport(ReceiverReport(ssrc: ssrc)),
                .feedback(FeedbackPacket(kind: .payload, format: 1, ssrc: ssrc, media: 0x9999)),
                .goodbye(Goodbye(ssrcs: [ssrc, 0x9999], reason: "end")),
            ])
        }
        var compound = sent(0x1111, 0x20)
        compound.packets.append(.other(type: 207, count: 0, contents: [0, 0, 0x11, 0x11]))
        #expect(Self.translation.toReceivers(compound) == sent(0x2222, 0x10))
        #expect(Self.translation.toReceivers(sent(0x3333, 0x20)) == sent(0x3333, 0x20))
    }

    @Test("M-06: towards the source, reports and feedback are about its own SSRC and sequence numbers")
    func toSource() {
        func received(_ ssrc: UInt32, _ highest: UInt32, _ nack: [UInt8], _ fir: UInt32) -> RTCPCompound {
            let report = ReceptionReport(
                ssrc: ssrc, fractionLost: 3, cumulativeLost: 4, extendedHighestSequence: highest, jitter: 5,
                lastSenderReport: 6, delaySinceLastSenderReport: 7)
            let other = ReceptionReport(ssrc: 0x7777, extendedHighestSequence: 5)
            let request = [
                UInt8(fir >> 24), UInt8(fir >> 16 & 0xff), UInt8(fir >> 8 & 0xff), UInt8(fir & 0xff), 1, 0, 0, 0,
            ]
            return RTCPCompound([
                .receiverReport(ReceiverReport(ssrc: 0x9999, reports: [report, other])),
                .sourceDescription(SourceDescription(chunks: [.init(ssrc: 0x9999, items: [.canonicalName("player")])])),
                .feedback(FeedbackPacket(kind: .transport, format: 1, ssrc: 0x9999, media: ssrc, information: nack)),
                .feedback(FeedbackPacket(kind: .payload, format: 1, ssrc: 0x9999, media: ssrc)),
                .feedback(FeedbackPacket(kind: .payload, format: 4, ssrc: 0x9999, media: 0, information: request)),
                .feedback(FeedbackPacket(kind: .application, format: 0, ssrc: 0x9999, media: 0x2222)),
                .goodbye(Goodbye(ssrcs: [0x9999])),
            ])
        }
        // The source's 65530 left as 4: the number wrapped for receivers before it wrapped for the source.
        #expect(
            Self.translation.toSource(received(0x2222, 0x0003_0004, [0, 4, 0x80, 1, 0, 14, 0, 0], 0x2222))
                == received(0x1111, 0x0002_fffa, [0xff, 0xfa, 0x80, 1, 0, 4, 0, 0], 0x1111))
        #expect(
            Self.translation.toSource(received(0x3333, 1, [0, 4, 0, 0], 0x3333))
                == received(0x3333, 1, [0, 4, 0, 0], 0x3333))
    }

    @Test("M-06: a leg that changes nothing passes everything, unknown packets too")
    func identity() {
        let translation = RTCPTranslation(sourceSSRC: 7, legSSRC: 7)
        #expect(translation.toReceivers(RTCPCompoundTests.all) == RTCPCompoundTests.all)
        #expect(translation.toSource(RTCPCompoundTests.all) == RTCPCompoundTests.all)
        #expect(
            Self.translation.toSource(RTCPCompoundTests.all).packets.count == RTCPCompoundTests.all.packets.count - 1)
    }
}
