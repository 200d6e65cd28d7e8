// What a report says, as a sentence, as JSON and as a picture.

import FoundationEssentials
import RTPWire
import Testing

@testable import Qualification

@Suite struct ReportTests {
    private func report(_ format: String = "2110-20-1080p59.94", flows: Int, legs: Int = 1) throws
        -> QualificationReport
    {
        var settings = Qualification.Settings(format: try #require(MediaFormat.named(format)), processor: 1)
        settings.legs = legs
        var report = QualificationReport(settings)
        report.flows = flows
        return report
    }

    private func result(planned: UInt64, sent: UInt64, arrived: UInt64, seconds: Double = 1, idle: Double = 0.5)
        -> TrialResult
    {
        var latency = LatencyHistogram()
        latency.add(99, inBucket: 160)
        latency.add(1, inBucket: 300)
        latency.add(largest: 30_000, sum: 100_000)
        return TrialResult(
            planned: planned, sent: sent, arrived: arrived, seconds: seconds, idle: idle, largestDelay: 0,
            processors: [ProcessorTimes(user: 0, system: 0.3, softirq: 0.2)], latency: latency, jitter: 40)
    }

    @Test func theSentence() throws {
        #expect(try report(flows: 31).sentence == "this node carries 31 flows of 1080p59.94 per core")
        #expect(try report(flows: 1).sentence == "this node carries 1 flow of 1080p59.94 per core")
        #expect(
            try report("2110-30-l24-8ch-1ms", flows: 700, legs: 8).sentence
                == "this node carries 700 flows of 2110-30-l24-8ch-1ms to 8 legs each per core")
        var limited = try report("2110-40-1080p50", flows: 16_384)
        limited.isLimited = true
        #expect(limited.sentence == "this node carries at least 16384 flows of 2110-40-1080p50 per core")
        var between = try report(flows: 3)
        between.interfaces = ["eth2", "eth3"]
        #expect(between.sentence == "this node carries 3 flows of 1080p59.94 between eth2 and eth3")
        var none = try report(flows: 0)
        none.trials = [.init(flows: 4, result(planned: 100, sent: 100, arrived: 99), legs: 1)]
        #expect(none.sentence == "this node does not carry 4 flows of 1080p59.94 without loss")
    }

    @Test func aTrialIsWithoutLossOnlyIfAllWasSentAndAllCame() {
        let good = QualificationReport.Trial(flows: 2, result(planned: 100, sent: 100, arrived: 300), legs: 3)
        #expect(good.isWithoutLoss && good.lost == 0 && good.verdict == "no loss")
        let lossy = QualificationReport.Trial(flows: 2, result(planned: 100, sent: 100, arrived: 299), legs: 3)
        #expect(!lossy.isWithoutLoss && lossy.verdict == "1 copies lost")
        let slow = QualificationReport.Trial(flows: 2, result(planned: 100, sent: 90, arrived: 270), legs: 3)
        #expect(!slow.isWithoutLoss && slow.verdict == "too slow: 10 of 100 packets were not sent in time")
        let twice = QualificationReport.Trial(flows: 2, result(planned: 100, sent: 100, arrived: 301), legs: 3)
        #expect(!twice.isWithoutLoss)
    }

    @Test func onlyWhatWasMeasuredIsSubtracted() throws {
        let cost = QualificationReport.Cost(node: 5e6, direct: 10e6)
        #expect(cost.nanoseconds == 200 && cost.directNanoseconds == 100 && cost.nodeNanoseconds == 100)
        let unknown = QualificationReport.Cost(node: 5e6, direct: 0)
        #expect(unknown.directNanoseconds == nil && unknown.nodeNanoseconds == nil)
        let through = result(planned: 10, sent: 10, arrived: 10, idle: 0.4)
        let past = result(planned: 10, sent: 10, arrived: 10, idle: 0.6)
        let load = QualificationReport.Load(flows: 4, through: through, past: past, ownProcessor: nil)
        #expect(abs(try #require(load.processorPerFlow) - 0.05) < 1e-9)
        #expect(load.addedLatency.map { $0.p50 == 0 && $0.p99 == 0 && $0.jitter == 0 } == true)
        #expect(abs(load.parts.reduce(0, +) - 1) < 1e-9 && load.parts.count == load.bounds.count + 1)
        let alone = QualificationReport.Load(flows: 4, through: through, past: nil, ownProcessor: nil)
        #expect(alone.processorPerFlow == nil && alone.addedLatency == nil && alone.directParts == nil)
    }

    @Test func jsonComesBackTheSame() throws {
        var report = try report(flows: 4)
        report.trials = [.init(flows: 4, result(planned: 100, sent: 100, arrived: 100), legs: 1)]
        report.cost = .init(node: 5e6, direct: 10e6)
        let half = result(planned: 10, sent: 10, arrived: 10)
        report.load = .init(flows: 2, through: half, past: half, ownProcessor: nil)
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(QualificationReport.self, from: data) == report)
        let text = String(decoding: data, as: UTF8.self)
        for key in [
            "\"flows\":4", "\"packetsPerSecond\"", "\"p99\"", "\"nodeNanoseconds\":100", "\"isWithoutLoss\":true",
        ] {
            #expect(text.contains(key), "\(key)")
        }
    }

    @Test func thePictureShowsEveryTrial() throws {
        var report = try report(flows: 4)
        report.trials = [
            .init(flows: 4, result(planned: 100, sent: 100, arrived: 100), legs: 1),
            .init(flows: 6, result(planned: 100, sent: 100, arrived: 80), legs: 1),
        ]
        let half = result(planned: 10, sent: 10, arrived: 10)
        report.load = .init(flows: 2, through: half, past: half, ownProcessor: nil)
        let picture = QualificationPlot.svg(report)
        #expect(picture.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\"") && picture.hasSuffix("</svg>\n"))
        #expect(picture.components(separatedBy: "<circle").count - 1 == 2)
        #expect(picture.contains(">this node carries 4 flows of 1080p59.94 per core<"))
        // Classes of latency begin with "<", which XML has another use for.
        #expect(picture.contains("&lt; 1 µs") && !picture.contains(">< "))
        #expect(!picture.contains("nan") && !picture.contains("inf"))
    }
}
