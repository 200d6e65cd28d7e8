// The time between reports.

import RTPWire
import TestSupport
import Testing

@Suite("RTCP: interval")
struct RTCPIntervalTests {
    static let second: UInt64 = 1_000_000_000

    @Test(
        "M-07: the deterministic interval: minimum, shares of senders and receivers",
        arguments: [
            // members, senders, bytes/s, sends, initial, seconds
            (2, 1, 1000, false, true, 2.5), (2, 1, 1000, false, false, 5), (2, 1, 0, false, false, 5),
            (1000, 1, 100, false, false, 1332), (1000, 1, 100, true, false, 5), (1000, 100, 100, true, false, 400),
            (1000, 250, 100, true, false, 1000), (1000, 251, 100, true, false, 1000),
            (1000, 251, 100, false, true, 1000),
            (1_000_000, 1, 0.001, false, false, 86_400),
        ] as [(Int, Int, Double, Bool, Bool, Double)])
    func deterministic(
        members: Int, senders: Int, bandwidth: Double, isSender: Bool, isInitial: Bool, seconds: Double
    ) {
        let interval = RTCPInterval(
            members: members, senders: senders, bandwidth: bandwidth, isSender: isSender, averageSize: 100,
            isInitial: isInitial)
        #expect(interval.deterministic == UInt64(seconds * 1_000_000_000))
    }

    @Test("M-07: intervals spread from 0.5 to 1.5 of it, compensated for reconsideration")
    func spread() {
        var generator = SeededGenerator(seed: 63)
        let interval = RTCPInterval(
            members: 2, senders: 1, bandwidth: 1000, isSender: false, averageSize: 100, isInitial: false)
        let values = (0..<2000).map { _ in Double(interval.next(using: &generator)) / 5e9 * 1.218_28 }
        #expect(values.allSatisfy { 0.499_999 <= $0 && $0 <= 1.500_001 })
        #expect(values.contains { $0 < 0.55 } && values.contains { $0 > 1.45 })
        #expect(abs(values.reduce(0, +) / 2000 - 1) < 0.02)
    }

    @Test("M-07: alone, one reports about every five seconds, the first time sooner")
    func alone() {
        var generator = SeededGenerator(seed: 64)
        var schedule = RTCPSchedule(bandwidth: 1000, averageSize: 100, isSender: false, now: 0, using: &generator)
        #expect(schedule.next < 4 * Self.second)
        var reports = 0
        while schedule.next < 5000 * Self.second {
            let time = schedule.next
            if schedule.expired(now: time, using: &generator) {
                reports += 1
                schedule.sent(size: 84)
            }
            #expect(schedule.next > time)
        }
        // With compensation 5/1.218 s would be drawn; reconsideration stretches that to about 5 s.
        #expect((900...1200).contains(reports))
        #expect(schedule.interval.averageSize < 85 && !schedule.interval.isInitial)
    }

    @Test("M-07: when many join, the report is put off; when they leave, it comes nearer")
    func reconsideration() {
        var generator = SeededGenerator(seed: 65)
        var schedule = RTCPSchedule(bandwidth: 100, averageSize: 100, isSender: false, now: 0, using: &generator)
        schedule.setMembers(10_000, senders: 1, isSender: false, now: Self.second)
        let first = schedule.next
        let isDue = schedule.expired(now: first, using: &generator)
        #expect(!isDue)
        let delayed = schedule.next
        #expect(delayed > 1000 * Self.second && schedule.interval.isInitial)
        schedule.setMembers(1000, senders: 1, isSender: false, now: first)
        // tn = tc + (members / pmembers) (tn - tc)
        #expect(schedule.next == first + UInt64(0.1 * Double(delayed - first)))
        schedule.setMembers(2000, senders: 1, isSender: false, now: first)
        #expect(schedule.next == first + UInt64(0.1 * Double(delayed - first)))
        schedule.received(size: 116)
        #expect(schedule.interval.averageSize == 101)
    }
}
