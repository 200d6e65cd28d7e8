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
        #expect(start.sequence == 2057, "1 + 1040 + 16 ahead")
    }

    @Test("F-03: a packet that may be early, as much as others are late, is not announced")
    func jitter() throws {
        var progress = progress(rate: 50)
        progress.jitter = 3_000_000
        // The next one is due in 9 ms, and may come in 3.
        #expect(try #require(StreamStart(progress, at: 10_011_000_000, margin: 4_000_000)).sequence == 1002)
        progress.jitter = 1_000_000
        #expect(try #require(StreamStart(progress, at: 10_011_000_000, margin: 4_000_000)).sequence == 1001)
    }

    @Test("F-03: the jitter of a source that has just begun is thought as large as it will be")
    func jitterOfTheFirst() throws {
        var progress = progress(rate: 50)
        progress.jitter = 700_000
        // The next one is due in 10 ms, and may come in 8.6 or, where the jitter is that of ten packets, in 7.1.
        let settled = try #require(StreamStart(progress, at: 10_010_000_000, margin: 8_000_000))
        #expect(settled.sequence == 1001 && settled.expectedAt == 10_018_600_000)
        progress.packets = 10
        #expect(try #require(StreamStart(progress, at: 10_010_000_000, margin: 8_000_000)).sequence == 1002)
    }

    @Test("F-03: the rate of a source that has just begun is thought higher than the mean of its first packets")
    func rateOfTheFirst() throws {
        // As seen of a camera with a packet every 10 ms: the second one came 40 ms after the first.
        var progress = progress(rate: 25)
        progress.packets = 2
        let second = try #require(StreamStart(progress, at: 10_008_000_000, margin: 4_000_000))
        #expect(second.sequence == 1002 && second.expectedAt == 10_020_000_000)
        progress.packets = 5
        progress.packetRate = 57
        #expect(try #require(StreamStart(progress, at: 10_003_000_000, margin: 4_000_000)).sequence == 1001)
        progress.packets = 8
        progress.packetRate = 70
        #expect(try #require(StreamStart(progress, at: 10_003_000_000, margin: 4_000_000)).sequence == 1001)
    }

    @Test("F-03: within a frame of video it is one of a later frame, and between two frames one of the next")
    func frame() throws {
        // 20 packets for each of 25 frames a second.
        var progress = progress(rate: 500)
        progress.clockRate = 90_000
        let within = try #require(StreamStart(progress, at: 10_000_100_000, margin: 4_000_000))
        #expect(within.sequence == 1044, "1 + 2 + 41 ahead")
        let between = try #require(StreamStart(progress, at: 10_020_000_000, margin: 4_000_000))
        #expect(between.sequence == 1013, "1 + 12 ahead")
    }

    @Test("F-09: a choice that took longer than was thought is told, for the packet may come before the response")
    func late() throws {
        let start = try #require(StreamStart(progress(rate: 50), at: 10_015_000_000, margin: 4_000_000))
        #expect(start.chosenAt == 10_015_000_000 && start.expectedAt == 10_020_000_000)
        #expect(!start.mayPrecede(10_018_000_000))
        #expect(start.mayPrecede(10_019_500_000))
    }

    @Test("F-03: where packets wait for the response, it is the next one, however soon that comes")
    func held() throws {
        let start = try #require(StreamStart(next: progress(rate: 50), at: 10_019_500_000))
        #expect(start.sequence == 1001 && start.timestamp == 90_000)
        #expect(!start.mayPrecede(11_000_000_000))
        #expect(StreamStart(next: progress(rate: 50), at: 13_000_000_000) == nil)
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

    @Test("F-03: it is announced further ahead when responses are slow, and no longer when they are quick again")
    @AgentActor func delay() {
        let delay = OpeningDelay()
        #expect(delay.margin == 4_000_000)
        delay.note(20_000_000)
        #expect(delay.margin == 32_000_000)
        delay.note(10_000_000_000)
        #expect(delay.margin == 250_000_000)
        for _ in 0..<64 { delay.note(100_000) }
        #expect(delay.margin == 4_000_000)
    }
}
