// Which packet a player begins with.

import AgentSupport
import Routing
import Testing

@testable import RTSPProxy

@Suite("The first packet of a player") struct StreamStartTests {
    /// A flow whose latest packet has the sequence number 1000 and came at 10 s.
    private func progress(rate: UInt64, highest: UInt64 = 1000) -> FlowProgress {
        FlowProgress(
            packets: 100, hasRTP: true, extendedHighestSequence: highest, timestamp: 90_000,
            lastArrival: 10_000_000_000, packetRate: rate)
    }

    @Test("F-03: where packets are rare, it is the very next one")
    func next() throws {
        // 50 packets a second; the last one came 5 ms ago, the next comes in 15 ms.
        let start = try #require(StreamStart(progress(rate: 50), at: 10_005_000_000, margin: 4_000_000))
        #expect(start.sequence == 1001)
        #expect(start.timestamp == 90_000)
    }

    @Test("F-03: a packet that is about to come is not announced")
    func imminent() throws {
        // The next one is due in half a millisecond: the leg might open too late for it.
        let start = try #require(StreamStart(progress(rate: 50), at: 10_019_500_000, margin: 4_000_000))
        #expect(start.sequence == 1002)
    }

    @Test("F-03: at studio rates it lies beyond the margin and a burst")
    func fast() throws {
        let start = try #require(StreamStart(progress(rate: 260_000), at: 10_000_000_000, margin: 4_000_000))
        #expect(start.sequence == 1000 + 1 + 1040 + 16)
    }

    @Test("F-03: of a source whose rate nobody knows yet, it is the one after the next")
    func unknownRate() throws {
        #expect(try #require(StreamStart(progress(rate: 0), at: 10_000_000_000, margin: 4_000_000)).sequence == 1002)
    }

    @Test("F-03: nothing is announced in the first burst of a source, whose rate is not known yet")
    func firstBurst() {
        var progress = progress(rate: 0)
        progress.received = 21
        #expect(StreamStart(progress, at: 10_000_000_000, margin: 4_000_000) == nil)
        progress.packetRate = 525
        #expect(StreamStart(progress, at: 10_000_000_000, margin: 4_000_000) != nil)
    }

    @Test("F-03: it counts past a wrap of the sequence number")
    func wrap() throws {
        let start = try #require(
            StreamStart(progress(rate: 50, highest: 0x3_ffff), at: 10_000_000_000, margin: 4_000_000))
        #expect(start.sequence == 0)
        #expect(start.extendedSequence == 0x4_0000)
    }

    @Test(
        "R-33: nothing is announced while the source is silent",
        arguments: [
            FlowProgress(), FlowProgress(packets: 9, hasRTP: true, lastArrival: 1_000_000_000, packetRate: 50),
        ])
    func silent(progress: FlowProgress) {
        #expect(StreamStart(progress, at: 10_000_000_000, margin: 4_000_000) == nil)
        #expect(StreamStart(nil, at: 10_000_000_000, margin: 4_000_000) == nil)
    }

    @Test("F-03: it is announced further ahead when legs are slow to open, and no longer when they are quick again")
    @AgentActor func delay() {
        let delay = OpeningDelay()
        #expect(delay.margin == 4_000_000)
        delay.note(20_000_000)
        #expect(delay.margin == 30_000_000)
        delay.note(10_000_000_000)
        #expect(delay.margin == 250_000_000)
        for _ in 0..<64 { delay.note(100_000) }
        #expect(delay.margin == 4_000_000)
    }
}
