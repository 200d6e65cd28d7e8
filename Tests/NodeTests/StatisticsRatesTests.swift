// Rates and states from two readings.

import FastPath
@testable import Node
import Testing
import Timing

@Suite("Rates")
struct StatisticsRatesTests {
    @Test("Counters are divided by the time between the readings")
    func rates() {
        let rates = StatisticsRates(
            from: SampleStatistics.full(packets: 1000, at: 1_000_000_000),
            to: SampleStatistics.full(packets: 1500, at: 1_250_000_000))
        #expect(rates.intervalSeconds == 0.25)
        #expect(rates.flows[0].packetsPerSecond == 2000)
        #expect(rates.flows[0].bitsPerSecond == 2000 * 1442 * 8)
        #expect(rates.flows[0].legs.map(\.packetsPerSecond) == [2000, 2000])
        #expect(rates.ports[0].receivedPacketsPerSecond == 2000)
        #expect(rates.ports[0].droppedPacketsPerSecond == 0)
        #expect(rates.flows[0].state == .ok)
    }

    @Test("A flow that began anew, and one that was not there, have no rate")
    func beginning() {
        let old = SampleStatistics.full(packets: 1000, at: 1_000_000_000)
        let restarted = StatisticsRates(from: old, to: SampleStatistics.full(packets: 20, at: 2_000_000_000))
        #expect(restarted.flows[0].packetsPerSecond == 0)
        let new = StatisticsRates(from: old, to: SampleStatistics.full(at: 2_000_000_000, route: "cam2"))
        #expect(new.flows[0].packetsPerSecond == 0)
        #expect(StatisticsRates(from: old, to: old).flows[0].packetsPerSecond == 0)
    }

    private func state(_ change: (inout FlowStatistics) -> Void) -> FlowState {
        let old = SampleStatistics.full().flows[0]
        var new = SampleStatistics.full(packets: 1100).flows[0]
        change(&new)
        return FlowState.judge(new, since: old, loss: LossWindow(), lastLoss: nil).0
    }

    @Test("States")
    func states() {
        #expect(state { _ in } == .ok)
        #expect(state { $0.rtp?.lostPackets += 1 } == .loss)
        #expect(state { $0.rtp?.lossEvents += 1 } == .loss)
        #expect(state { $0.rtp?.ssrcChanges += 1 } == .ok)
        #expect(state { $0.rtp?.ssrcChanges += 2 } == .twoSenders)
        #expect(state { $0.rtp?.sourceChanges += 5 } == .twoSenders)
        #expect(state { $0.wrongSourcePackets += 1 } == .intruder)
        #expect(state { $0.engine = "none" } == .noWorker)
        #expect(state { ($0.packets, $0.invalidPackets) = (1000, 17) } == .notRTP)
        #expect(state { $0.rtp = nil } == .ok)
        #expect(state { ($0.packets, $0.lastPacketAgeNanoseconds) = (1000, 2_000_000_000) } == .noSignal)
        #expect(state { $0.engine = "partly" } == .noWorker)
        for (kind, expected) in [
            (.ttlExpired, .ttlExpired), (.fragments, .fragments), (.wrongVLAN, .wrongVLAN), (.wrongPort, .wrongPort),
            (.wrongUDPPort, .wrongUDPPort),
        ] as [(FlowSighting.Kind, FlowState)] {
            let sighting = FlowSighting(
                kind: kind, packets: 1, ageNanoseconds: 1, source: "10.1.0.7", port: "eth0", vlans: [], udpPort: 5004)
            #expect(
                state { ($0.packets, $0.lastPacketAgeNanoseconds, $0.sighting) = (1000, nil, sighting) } == expected)
            #expect(state { $0.sighting = sighting } == .ok, "what comes as it should has the last word")
        }
        #expect(state { ($0.packets, $0.lastPacketAgeNanoseconds) = (1000, 900_000_000) } == .ok)
        #expect(state { ($0.packets, $0.lastPacketAgeNanoseconds) = (1000, nil) } == .noSignal)
        #expect(
            state { ($0.packets, $0.lastPacketAgeNanoseconds, $0.payload) = (1000, 9_000_000_000, "rtcp") } == .ok)
    }

    @Test(
        "RFC 3339",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
            (1_795_227_378_123_999_999, "2026-11-21T02:16:18.123Z"),
            (4_102_444_799_999_000_000, "2099-12-31T23:59:59.999Z"),
        ] as [(UInt64, String)])
    func times(nanoseconds: UInt64, text: String) { #expect(RFC3339.text(unixNanoseconds: nanoseconds) == text) }
}
