// RTP accounting against a model that remembers every packet.

import TestSupport
import Testing

@testable import FastPath

@Suite("RTP accounting against a model")
struct AccountingModelTests {
    /// Counts with a set of everything that came; numbers are given extended.
    struct Model {
        var seen: Set<Int> = []
        var first: Int?
        var highest = 0
        var received = 0
        var duplicates = 0
        var reordered = 0
        var lossEvents = 0
        var largestGap = 0

        mutating func receive(_ number: Int) {
            received += 1
            guard first != nil else {
                first = number
                highest = number
                seen.insert(number)
                return
            }
            if !seen.insert(number).inserted {
                duplicates += 1
            } else if number < highest {
                reordered += 1
            } else {
                if number > highest + 1 {
                    lossEvents += 1
                    largestGap = max(largestGap, number - highest - 1)
                }
                highest = number
            }
        }
    }

    @Test("M-02, M-03: random loss, duplicates and reordering", arguments: 0..<40)
    func random(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let rate: UInt64 = [50, 8000, 134_000, 400_000][seed % 4]
        let parameters = FlowParameters(clockRate: 90_000, packetRate: rate)
        let reach = Int(parameters.maximumMisorder) / 2
        var receiver = Receiver(parameters)
        var model = Model()
        let start = Int.random(in: 0..<65_536, using: &random)
        // Two in order end probation.
        for number in [start, start + 1] {
            receiver.receive([number])
            model.receive(number)
        }
        // Each number gets places in the order of arrival, or none.
        var arrivals: [(place: Int, number: Int)] = []
        var number = start + 2
        while number < start + 70_000 {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<3: number += Int.random(in: 0..<min(reach / 2, 60), using: &random)
            case 3..<8: arrivals.append((number + Int.random(in: 0..<reach, using: &random), number))
            case 8..<11:
                for _ in 0..<3 { arrivals.append((number + Int.random(in: 0..<reach, using: &random), number)) }
            default: arrivals.append((number, number))
            }
            number += 1
        }
        for (_, number) in arrivals.enumerated().sorted(by: {
            ($0.element.place, $0.offset) < ($1.element.place, $1.offset)
        }).map(\.element) {
            receiver.receive([number])
            model.receive(number)
        }
        let statistics = receiver.statistics
        let expected = model.highest - (try #require(model.first)) + 1
        #expect(statistics.expectedPackets == UInt64(expected))
        #expect(statistics.receivedPackets == UInt64(model.received))
        #expect(statistics.lostPackets == Int64(expected - model.received))
        #expect(statistics.duplicatePackets == UInt64(model.duplicates))
        #expect(statistics.reorderedPackets == UInt64(model.reordered))
        #expect(statistics.lossEvents == UInt64(model.lossEvents))
        #expect(statistics.largestGapPackets == UInt64(model.largestGap))
        #expect(statistics.extendedHighestSequence == UInt64(model.highest))
        #expect(statistics.sequenceResets == 0 && statistics.latePackets == 0)
        #expect(model.duplicates > 1000 && model.reordered > 1000 && model.lossEvents > 100)
    }
}
