// States over time: hysteresis, loss by span, edges.

import Events
import FastPath
import Testing

@testable import Node

@Suite("States")
struct StateTests {
    /// Readings of one flow, a second apart.
    private struct Flow {
        var watch: FlowWatch
        var reading: FlowStatistics
        var second: UInt64 = 100
        var edges: [FlowState] = []

        init() {
            reading = SampleStatistics.full().flows[0]
            (reading.wrongSourcePackets, reading.invalidPackets) = (0, 0)
            watch = FlowWatch(reading, unix: 0)
        }

        /// A second passes: packets come, and what `change` does.
        mutating func pass(packets: UInt64 = 1000, _ change: (inout FlowStatistics) -> Void = { _ in }) {
            second += 1
            reading.packets += packets
            reading.rtp?.expectedPackets += packets
            reading.rtp?.receivedPackets += packets
            reading.lastPacketAgeNanoseconds =
                packets > 0 ? 1000 : (reading.lastPacketAgeNanoseconds ?? 0) + 1_000_000_000
            change(&reading)
            if let edge = watch.take(reading, unix: second, monotonic: second * 1_000_000_000) { edges.append(edge.to) }
        }

        var report: FlowReport { watch.report(monotonic: second * 1_000_000_000) }
    }

    @Test("A single lost packet shows for ten seconds and more, with its share and its age")
    func oneLoss() {
        var flow = Flow()
        for _ in 1...5 { flow.pass() }
        flow.pass { $0.rtp?.lostPackets += 1 }
        #expect(flow.report.state == .loss && flow.report.lastLossSeconds == 0)
        for _ in 1...4 { flow.pass() }
        #expect(flow.report.state == .loss)
        #expect(flow.report.reason == "0.01 % in 10 s, last 4 s ago", "\(flow.report.reason ?? "")")
        for _ in 1...8 { flow.pass() }
        #expect(flow.report.state == .loss, "a better state waits for three seconds")
        for _ in 1...4 { flow.pass() }
        #expect(flow.report.state == .ok && flow.report.reason == nil)
        #expect(flow.report.lastLossSeconds == 16)
        #expect(flow.report.loss?.minute.lostPackets == 1 && flow.report.loss?.tenSeconds.lostPackets == 0)
        #expect(flow.edges == [.loss, .ok])
    }

    @Test("After the last packet a flow has no signal, and again one three seconds after it comes back")
    func silence() {
        var flow = Flow()
        flow.pass()
        flow.pass(packets: 0)
        #expect(flow.report.state == .noSignal && flow.report.reason == "no packet for 1 s")
        flow.pass(packets: 0)
        #expect(flow.report.reason == "no packet for 2 s")
        for _ in 1...3 { flow.pass() }
        #expect(flow.report.state == .noSignal)
        flow.pass()
        #expect(flow.report.state == .ok && flow.edges == [.noSignal, .ok])
    }

    @Test("A flow that flaps is as bad as its worst second")
    func flapping() {
        var flow = Flow()
        for _ in 1...10 {
            flow.pass(packets: 0)
            flow.pass(packets: 0)
            flow.pass()
        }
        #expect(flow.report.state == .noSignal && flow.edges == [.noSignal])
    }

    @Test("An intruder that is dropped does not make the flow red; two senders in one flow do")
    func intruders() {
        var flow = Flow()
        flow.pass { $0.wrongSourcePackets += 100 }
        #expect(flow.report.state == .intruder && flow.report.state.severity == .warning)
        flow.pass { $0.rtp?.ssrcChanges += 2 }
        #expect(flow.report.state == .twoSenders)
    }

    @Test("MPEG-TS in a flow of RTP is named, with the remedy; a flow that never had a packet says so")
    func otherPayload() {
        var flow = Flow()
        flow.pass(packets: 0) { $0.invalidPackets += 1000 }
        #expect(flow.report.state == .notRTP && flow.report.reason?.contains("payload: raw") == true)
        var fresh = SampleStatistics.full().flows[0]
        (fresh.packets, fresh.lastPacketAgeNanoseconds) = (0, nil)
        let watch = FlowWatch(fresh, unix: 7)
        #expect(
            watch.state == .noSignal && watch.report(monotonic: 0).reason?.contains("no packet has come yet") == true)
    }

    @Test("Loss is summed by spans, exactly, however long the pauses are")
    func history() {
        var history = LossHistory()
        func add(_ second: UInt64, _ lost: UInt64) {
            history.add(LossWindow(expectedPackets: 100, lostPackets: lost), at: second)
        }
        add(1000, 5)
        add(1009, 1)
        #expect(history.tenSeconds(at: 1009).lostPackets == 6)
        #expect(history.tenSeconds(at: 1010).lostPackets == 1)
        #expect(history.minute(at: 1059).lostPackets == 6)
        #expect(history.minute(at: 1069).lostPackets == 0)
        #expect(history.quarterHour(at: 1069).lostPackets == 6)
        #expect(history.day(at: 80_000).lostPackets == 6)
        add(90_000, 2)
        #expect(history.quarterHour(at: 90_000).lostPackets == 2 && history.day(at: 90_000).lostPackets == 2)
        add(900_000, 1)
        #expect(history.day(at: 900_000).lostPackets == 1 && history.tenSeconds(at: 900_500).lostPackets == 0)
    }

    @Test("The book forgets flows that are gone, and begins again with one whose counters did")
    func book() {
        let book = StateBook()
        var snapshot = SampleStatistics.full(packets: 1000, at: 1_000_000_000)
        #expect(book.take(snapshot).isEmpty)
        #expect(book.reports().map(\.route) == ["cam1"])
        snapshot.flows[0].packets = 10
        #expect(book.take(snapshot).isEmpty)
        snapshot.flows = []
        #expect(book.take(snapshot).isEmpty && book.reports().isEmpty)
    }

    @Test("A leg on a port without a link is not ok, although its counter grows")
    func linkDown() {
        let old = SampleStatistics.full(packets: 1000, at: 1_000_000_000)
        var new = SampleStatistics.full(packets: 2000, at: 2_000_000_000)
        #expect(StatisticsRates(from: old, to: new).flows[0].legs.allSatisfy { !$0.isWithoutLink })
        new.ports[1].undelivered["copy_interface_down"] = 1020
        #expect(StatisticsRates(from: old, to: new).flows[0].legs.allSatisfy { $0.isWithoutLink })
        new.flows[0].legs[1].to = "10.3.0.1:5004@eth10.100,ttl=9"
        #expect(StatisticsRates(from: old, to: new).flows[0].legs.map(\.isWithoutLink) == [true, false])
    }
}
