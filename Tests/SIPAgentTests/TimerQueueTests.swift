// Timers in their order.

import TestSupport
import Testing

@testable import SIPAgent

@Suite("Timers") struct TimerQueueTests {
    @Test("What is due comes out in the order of its time, and nothing before it")
    func order() {
        var queue = TimerQueue<UInt64>()
        var generator = SeededGenerator(seed: 7)
        let deadlines = (0..<2000).map { _ in UInt64.random(in: 0..<10_000, using: &generator) }
        for deadline in deadlines { queue.insert(deadline, at: deadline) }
        var taken: [UInt64] = []
        for now in stride(from: UInt64(0), through: 10_000, by: 500) {
            while let value = queue.pop(now: now) {
                #expect(value <= now)
                taken.append(value)
            }
            #expect(queue.next.map { $0 > now } != false)
        }
        #expect(taken == deadlines.sorted())
        #expect(queue.isEmpty)
    }
}
