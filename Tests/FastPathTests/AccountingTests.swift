// RTP accounting: sequence numbers (RFC 3550 appendices A.1 and A.3).

import CrosspointShim
import Testing

@testable import FastPath

@Suite("RTP accounting")
struct AccountingTests {
    @Test("M-02: a stream in order")
    func inOrder() {
        var receiver = Receiver()
        receiver.receive(100..<200)
        let statistics = receiver.statistics
        #expect(statistics.expectedPackets == 100)
        #expect(statistics.receivedPackets == 100)
        #expect(statistics.lostPackets == 0)
        #expect(statistics.extendedHighestSequence == 199)
        #expect(statistics.lossEvents == 0 && statistics.reorderedPackets == 0 && statistics.duplicatePackets == 0)
        #expect(statistics.ssrc == 1 && statistics.payloadType == 96)
    }

    @Test("M-02: probation takes two in sequence (MIN_SEQUENTIAL), and begins again otherwise")
    func probation() {
        var receiver = Receiver()
        receiver.receive([10, 50_000])
        #expect(receiver.record.state & UInt8(CROSSPOINT_RTP_VALID.rawValue) == 0)
        #expect(receiver.statistics.lossEvents == 0)
        receiver.receive([50_001])
        #expect(receiver.record.state & UInt8(CROSSPOINT_RTP_VALID.rawValue) != 0)
        #expect(receiver.statistics.expectedPackets == 2)
        #expect(receiver.statistics.receivedPackets == 2)
        #expect(receiver.statistics.sequenceResets == 0)
    }

    @Test("M-02: probation ends for a stream that loses every other packet, too")
    func endlessProbation() {
        var receiver = Receiver()
        receiver.receive(stride(from: 0, to: 200, by: 2))
        #expect(receiver.record.state & UInt8(CROSSPOINT_RTP_VALID.rawValue) != 0)
        #expect(receiver.statistics.lossEvents > 80)
    }

    @Test("M-02: sequence numbers wrap, again and again, into 64 bits")
    func wraps() {
        var receiver = Receiver(FlowParameters(clockRate: 90_000, packetRate: 900_000))
        let count = 65_536 * 40 + 5
        receiver.receive(65_530..<65_530 + count)
        let statistics = receiver.statistics
        #expect(statistics.expectedPackets == UInt64(count))
        #expect(statistics.receivedPackets == UInt64(count))
        #expect(statistics.extendedHighestSequence == UInt64(65_530 + count - 1))
        #expect(statistics.sequenceResets == 0 && statistics.outages == 0)
    }

    @Test("M-03: loss is what is missing between first and highest")
    func loss() {
        var receiver = Receiver()
        receiver.receive(Array(0..<10) + Array(15..<20) + [21])
        let statistics = receiver.statistics
        #expect(statistics.expectedPackets == 22)
        #expect(statistics.receivedPackets == 16)
        #expect(statistics.lostPackets == 6)
        #expect(statistics.lossEvents == 2)
        #expect(statistics.largestGapPackets == 5)
    }

    @Test("M-03: loss across a wrap")
    func lossAcrossWrap() {
        var receiver = Receiver()
        receiver.receive([65_533, 65_534, 65_538, 65_539])
        #expect(receiver.statistics.lostPackets == 3)
        #expect(receiver.statistics.extendedHighestSequence == 65_539)
    }

    @Test("M-03: duplicates make loss negative")
    func negativeLoss() {
        var receiver = Receiver()
        receiver.receive([1, 2, 3, 3, 3, 2, 4])
        let statistics = receiver.statistics
        #expect(statistics.duplicatePackets == 3)
        #expect(statistics.reorderedPackets == 0)
        #expect(statistics.lostPackets == -3)
    }

    @Test("M-02: reordering is not loss, and not duplication, across a wrap as elsewhere")
    func reordering() {
        var receiver = Receiver()
        receiver.receive([65_532, 65_533, 65_537, 65_534, 65_536, 65_535, 65_538, 65_535])
        let statistics = receiver.statistics
        #expect(statistics.reorderedPackets == 3)
        #expect(statistics.duplicatePackets == 1)
        #expect(statistics.lostPackets == -1)
        #expect(statistics.lossEvents == 1)
        #expect(statistics.extendedHighestSequence == 65_538)
    }

    @Test("M-02: a packet from before the first one counts as received (A.1)")
    func beforeFirst() {
        var receiver = Receiver()
        receiver.receive([0, 1, 65_535, 65_534, 2])
        let statistics = receiver.statistics
        #expect(statistics.reorderedPackets == 2)
        #expect(statistics.expectedPackets == 3)
        #expect(statistics.receivedPackets == 5)
        #expect(statistics.lostPackets == -2)
        #expect(statistics.extendedHighestSequence == 2)
    }

    @Test("duplicates are told from reordering as far back as packets may be misordered", arguments: [100, 3968])
    func window(misorder: Int) {
        var receiver = Receiver(FlowParameters(clockRate: 90_000, packetRate: UInt64(misorder) * 100))
        #expect(receiver.limits.max_misorder == UInt16(misorder))
        let first = 1_000
        let highest = first + misorder + 40
        // One is missing at the far end of the window.
        let missing = highest - misorder
        receiver.receive((first...highest).filter { $0 != missing })
        receiver.receive([missing])
        #expect(receiver.statistics.reorderedPackets == 1)
        receiver.receive([missing])
        #expect(receiver.statistics.duplicatePackets == 1)
        #expect(receiver.statistics.lostPackets == -1)
        // One beyond the window is not believed (A.1).
        receiver.receive([missing - 1])
        #expect(receiver.statistics.duplicatePackets == 1)
        #expect(receiver.statistics.receivedPackets == UInt64(misorder + 42))
    }

    @Test("beyond the history packets are late, neither duplicates nor reordered")
    func late() {
        var receiver = Receiver()
        receiver.limits.max_misorder = 8000
        receiver.receive(0..<8000)
        receiver.receive([7999 - 64 * Int(CROSSPOINT_HISTORY_WORDS), 0])
        #expect(receiver.statistics.latePackets == 2)
        #expect(receiver.statistics.duplicatePackets == 0)
        #expect(receiver.statistics.reorderedPackets == 0)
        #expect(receiver.statistics.receivedPackets == 8002)
    }

    @Test("M-02: a jump is believed when the next packet follows it, and the count begins anew")
    func reset() {
        var receiver = Receiver()
        receiver.receive(0..<100)
        receiver.receive([40_000])
        #expect(receiver.statistics.sequenceResets == 0)
        #expect(receiver.statistics.receivedPackets == 100)
        receiver.receive([40_001, 40_002])
        let statistics = receiver.statistics
        #expect(statistics.sequenceResets == 1)
        #expect(statistics.expectedPackets == 103)
        #expect(statistics.receivedPackets == 103)
        #expect(statistics.lostPackets == 0)
        #expect(statistics.extendedHighestSequence == 40_002)
    }

    @Test("M-02: a jump backwards beyond the window is a reset, too")
    func resetBackwards() {
        var receiver = Receiver()
        receiver.receive(30_000..<30_100)
        receiver.receive([5, 6, 7])
        #expect(receiver.statistics.sequenceResets == 1)
        #expect(receiver.statistics.extendedHighestSequence == 7)
        #expect(receiver.statistics.expectedPackets == 103)
    }

    @Test("M-02: single strays do not reset")
    func strays() {
        var receiver = Receiver()
        receiver.receive([-2, -1])
        for round in 0..<50 {
            receiver.receive([round, 30_000 + round * 7])
        }
        #expect(receiver.statistics.sequenceResets == 0)
        #expect(receiver.statistics.receivedPackets == 52)
        #expect(receiver.statistics.lostPackets == 0)
    }

    @Test("M-02: the limits are the RFC's at 50 packets a second, and grow with the rate")
    func limits() {
        func limits(_ rate: UInt64) -> [Int] {
            let parameters = FlowParameters(packetRate: rate)
            return [Int(parameters.maximumDropout), Int(parameters.maximumMisorder)]
        }
        #expect(limits(50) == [3000, 100])
        #expect(limits(8000) == [3000, 100])
        #expect(limits(134_000) == [16_750, 1340])
        #expect(limits(10_000_000) == [32_000, 3968])
        #expect(FlowParameters(packetRate: 30_000).outage == 1_000_000_000 >> 20)
        var receiver = Receiver(FlowParameters(packetRate: 134_000))
        receiver.receive(0..<10)
        receiver.receive([16_750])
        #expect(receiver.statistics.lostPackets == 16_740)
        receiver.receive([16_750 + 16_750])
        #expect(receiver.statistics.extendedHighestSequence == 16_750)
    }

    @Test("M-08: another SSRC is another stream; totals go on")
    func ssrcChange() {
        var receiver = Receiver()
        receiver.receive(0..<10)
        for sequence in 500..<520 { receiver.receive(sequence, ssrc: 2) }
        let statistics = receiver.statistics
        #expect(statistics.ssrcChanges == 1)
        #expect(statistics.ssrc == 2)
        #expect(statistics.expectedPackets == 30)
        #expect(statistics.receivedPackets == 30)
        #expect(statistics.sequenceResets == 0)
        #expect(statistics.extendedHighestSequence == 519)
    }

    @Test("M-08: one SSRC from another address is noticed, and counted on")
    func sourceChange() {
        var receiver = Receiver()
        receiver.receive(0..<10)
        for sequence in 10..<20 { receiver.receive(sequence, source: 2) }
        receiver.receive(20, source: 1)
        #expect(receiver.statistics.sourceChanges == 2)
        #expect(receiver.statistics.receivedPackets == 21)
        #expect(receiver.statistics.lostPackets == 0)
    }

    @Test("M-18: after a silence that sequence numbers cannot bridge, the count begins anew")
    func outage() {
        var receiver = Receiver(FlowParameters(clockRate: 90_000, packetRate: 100_000))
        receiver.receive(0..<10)
        // Not yet: loss. The limit is held in units of 2^20 ns.
        receiver.receive(20, interval: 298_000_000)
        #expect(receiver.statistics.outages == 0)
        #expect(receiver.statistics.lostPackets == 10)
        receiver.receive(21, interval: 302_000_000)
        receiver.receive(22)
        let statistics = receiver.statistics
        #expect(statistics.outages == 1)
        #expect(statistics.lostPackets == 10)
        #expect(statistics.receivedPackets == 13)
        #expect(statistics.largestGapNanoseconds >> 10 == 302_000_000 >> 10)
        #expect(statistics.sequenceResets == 0)
    }
}
