// Jitter and arrival times (RFC 3550 section 6.4.1, appendix A.8).

import CrosspointShim
import TestSupport
import Testing

@testable import FastPath

@Suite("Jitter")
struct JitterTests {
    private func expectEqual(
        _ statistics: RTPStatistics, _ model: JitterModel, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let jitter = Double(try #require(statistics.jitterNanoseconds)) / 1e9
        let largest = Double(try #require(statistics.largestJitterNanoseconds)) / 1e9
        // 0.1 %, and the nanosecond that whole numbers cost.
        #expect(abs(jitter - model.jitter) <= model.jitter / 1000 + 2e-9, sourceLocation: sourceLocation)
        #expect(abs(largest - model.largest) <= model.largest / 1000 + 2e-9, sourceLocation: sourceLocation)
    }

    @Test(
        "M-04: agrees with double precision",
        arguments: [
            (8_000, 20_000_000), (44_100, 125_000), (48_000, 125_000), (90_000, 7_414), (96_000, 125_000),
            (90_000, 33_366_667),
        ], [0, 1_000, 1_000_000])
    func agreement(stream: (clockRate: UInt32, interval: UInt64), disturbance: UInt64) throws {
        var receiver = Receiver(FlowParameters(clockRate: stream.clockRate, packetRate: 1))
        var model = JitterModel(clockRate: stream.clockRate)
        var random = SeededGenerator(seed: disturbance)
        var sent: UInt64 = 0
        for sequence in 0..<5000 {
            sent += stream.interval
            let arrival = max(
                receiver.now, 1_000_000_000 + sent + .random(in: 0...disturbance, using: &random))
            // Timestamps wrap on the way.
            let ticks = Int(Double(sent) * Double(stream.clockRate) / 1e9)
            let timestamp = UInt32(truncatingIfNeeded: ticks - 300)
            receiver.receive(sequence, timestamp: timestamp, interval: arrival - receiver.now)
            model.receive(arrival: arrival, timestamp: timestamp)
        }
        try expectEqual(receiver.statistics, model)
        #expect(receiver.statistics.jitterTimestampUnits != nil)
    }

    @Test("M-04: packets of one video frame, which share a timestamp, are included")
    func videoFrames() throws {
        var receiver = Receiver(FlowParameters(clockRate: 90_000, packetRate: 134_000))
        var model = JitterModel(clockRate: 90_000)
        var sequence = 0
        for frame in 0..<60 {
            let timestamp = UInt32.max &- 3000 &+ UInt32(frame * 1501)
            for packet in 0..<360 {
                let interval: UInt64 = packet == 0 ? 679_000 : 7_414
                receiver.receive(sequence, timestamp: timestamp, interval: interval)
                model.receive(arrival: receiver.now, timestamp: timestamp)
                sequence += 1
            }
        }
        try expectEqual(receiver.statistics, model)
        #expect(model.jitter > 1e-6)
    }

    @Test("M-04: the clock of a sampled flow is read for some sequence numbers only")
    func clockMask() throws {
        var receiver = Receiver(FlowParameters(clockMask: 7, clockRate: 90_000, packetRate: 134_000))
        var model = JitterModel(clockRate: 90_000)
        var random = SeededGenerator(seed: 3)
        for sequence in 0..<4000 {
            let timestamp = UInt32(sequence / 4)
            receiver.receive(sequence, timestamp: timestamp, interval: .random(in: 1000...9000, using: &random))
            if sequence % 8 == 0 { model.receive(arrival: receiver.now, timestamp: timestamp) }
        }
        try expectEqual(receiver.statistics, model)
        #expect(receiver.statistics.receivedPackets == 4000)
    }

    @Test("M-04: a timestamp that jumps by more than half a day is no jitter")
    func discontinuity() throws {
        var receiver = Receiver(FlowParameters(clockRate: 90_000, packetRate: 1))
        for sequence in 0..<100 { receiver.receive(sequence, timestamp: UInt32(sequence) * 90, interval: 1_000_000) }
        let before = receiver.statistics.jitterNanoseconds
        receiver.receive(100, timestamp: 1 << 31, interval: 1_000_000)
        receiver.receive(101, timestamp: 1 << 31 + 90, interval: 1_000_000)
        #expect(receiver.statistics.jitterNanoseconds == before)
    }

    @Test("M-08: the interval between two sources is nobody's jitter")
    func betweenSources() throws {
        var receiver = Receiver(FlowParameters(clockRate: 90_000, packetRate: 1))
        var model = JitterModel(clockRate: 90_000)
        for sequence in 0..<50 {
            receiver.receive(sequence, timestamp: UInt32(sequence) * 90, interval: 1_100_000)
            model.receive(arrival: receiver.now, timestamp: UInt32(sequence) * 90)
        }
        model.interrupt()
        for sequence in 0..<50 {
            receiver.receive(sequence, timestamp: 7_000_000 + UInt32(sequence) * 90, ssrc: 2, interval: 1_050_000)
            model.receive(arrival: receiver.now, timestamp: 7_000_000 + UInt32(sequence) * 90)
        }
        try expectEqual(receiver.statistics, model)
    }

    @Test("without a clock rate there is no jitter, and gaps are known")
    func withoutClock() {
        var receiver = Receiver(FlowParameters(clockRate: nil, packetRate: 1))
        for sequence in 0..<50 { receiver.receive(sequence, interval: sequence == 20 ? 5_000_000 : 1_000_000) }
        #expect(receiver.statistics.jitterNanoseconds == nil)
        #expect(receiver.statistics.jitterTimestampUnits == nil)
        #expect(receiver.statistics.largestGapNanoseconds >> 10 == 5_000_000 >> 10)
    }

    @Test("a tick of the clock is exact to one part in 100 million", arguments: [8000, 44_100, 48_000, 90_000, 96_000])
    func tick(clockRate: UInt32) {
        let exact = 1e9 * 65536 / Double(clockRate)
        let tick = Double(FlowParameters(clockRate: clockRate).nanosecondsPerTick)
        #expect(abs(tick - exact) / exact < 1e-8)
    }
}
