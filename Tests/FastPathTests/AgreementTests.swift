// Accounting of real captures, and of a generated one, agrees with tshark.

import CrosspointShim
import TestSupport
import Testing

@testable import FastPath

@Suite(
    "Agreement with tshark", .enabled(if: TSharkStream.isInstalled, "\(TSharkStream.reason)"), .timeLimit(.minutes(3)))
struct AgreementTests {
    @Test(
        "M-04: real captures: packets, loss and jitter", .enabled(if: Corpus.isPresent, "\(Corpus.reason)"),
        arguments: CaptureStream.all)
    func capture(_ stream: CaptureStream) throws {
        var receiver = Receiver(
            FlowParameters(clockRate: stream.clockRate, packetRate: stream.packetRate))
        var model = JitterModel(clockRate: stream.clockRate)
        let packets = try stream.records()
        #expect(packets.count == stream.packets)
        for (record, _, rtp) in packets {
            receiver.receive(
                Int(rtp.sequence), timestamp: rtp.timestamp, ssrc: rtp.ssrc, interval: record.time &- receiver.now)
            model.receive(arrival: record.time, timestamp: rtp.timestamp)
        }
        let statistics = receiver.statistics
        let all = try TSharkStream.read(stream.path, udpPort: stream.udpPort)
        // Streams of one SSRC with the same numbers: which of them it is makes no difference.
        let told = try #require(all.first { $0.ssrc == statistics.ssrc && $0.packets == packets.count })
        #expect(statistics.receivedPackets == UInt64(told.packets))
        #expect(statistics.lostPackets == Int64(told.lost))
        #expect(statistics.reorderedPackets == 0 && statistics.duplicatePackets == 0)
        let largest = Double(try #require(statistics.largestJitterNanoseconds)) / 1e6
        if stream.hasStaticClock {
            #expect(abs(largest - told.largestJitter) <= 0.0015)
        }
        #expect(abs(largest - model.largest * 1e3) <= model.largest + 2e-6)
        #expect(model.largest > 0)
    }

    @Test(
        "M-02, M-03: generated: loss, reordering across a wrap, duplicates, a change of SSRC", arguments: [false, true])
    func generated(isDamaged: Bool) throws {
        let first = isDamaged ? Self.arrivals() : Array(65_300..<65_900)
        var records: [CaptureFile.Record] = []
        var receiver = Receiver(FlowParameters(clockRate: 8000, packetRate: 50))
        var largest: [Double] = []
        var time: UInt64 = 1_700_000_000_000_000_000
        var random = SeededGenerator(seed: 4)
        receiver.now = time
        for ssrc: UInt32 in [0xaaaa_0001, 0xbbbb_0002] {
            var model = JitterModel(clockRate: 8000)
            for number in first {
                let interval = UInt64.random(in: 15_000_000...25_000_000, using: &random)
                time += interval
                let rtp = RTPPacket(
                    payloadType: 0, sequence: UInt16(truncatingIfNeeded: number),
                    timestamp: UInt32(truncatingIfNeeded: number * 160), ssrc: ssrc,
                    payload: [UInt8](repeating: 0xff, count: 160))
                records.append(.init(time: time, bytes: Packet(rtp: rtp).bytes))
                receiver.receive(number, timestamp: rtp.timestamp, ssrc: ssrc, interval: interval)
                model.receive(arrival: time, timestamp: rtp.timestamp)
            }
            largest.append(model.largest * 1e3)
        }
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/generated.pcap"
        try CaptureFile(records: records).write(to: path)
        let told = try TSharkStream.read(path, udpPort: 5004).sorted { $0.ssrc < $1.ssrc }
        #expect(told.map(\.ssrc) == [0xaaaa_0001, 0xbbbb_0002])
        let statistics = receiver.statistics
        #expect(statistics.ssrcChanges == 1)
        #expect(statistics.receivedPackets == UInt64(told.reduce(0) { $0 + $1.packets }))
        // A packet from before the wrap that comes after it makes tshark count the wrap twice.
        let lost = isDamaged ? 9 - 4 : 0
        #expect(told.allSatisfy { $0.lost == lost + (isDamaged ? 65_536 : 0) })
        #expect(statistics.lostPackets == Int64(2 * lost))
        #expect(statistics.duplicatePackets == (isDamaged ? 2 * 4 : 0))
        #expect(statistics.reorderedPackets == (isDamaged ? 2 * 3 : 0))
        #expect((statistics.lossEvents > 0) == isDamaged)
        // tshark's figure differs here by about a millisecond, for a reason that was not found: jitter is compared with it on
        // streams in order, and here with the independent model of appendix A.8.
        if !isDamaged {
            for (stream, model) in zip(told, largest) { #expect(abs(stream.largestJitter - model) <= 0.0015) }
        }
        let ours = Double(try #require(statistics.largestJitterNanoseconds)) / 1e6
        #expect(abs(ours - (largest.max() ?? 0)) <= 0.0015)
    }

    /// 600 numbers from 65,300 on, over the wrap: nine are lost, four come twice, three come late.
    private static func arrivals() -> [Int] {
        var numbers = Array(65_300..<65_900)
        // Reordering across the wrap: 65535 after 65537, and two more.
        for late in [65_535, 65_600, 65_700] {
            let index = late - 65_300
            numbers.swapAt(index, index + 1)
            numbers.swapAt(index + 1, index + 2)
        }
        numbers.removeAll { [65_310, 65_311, 65_534, 65_640, 65_641, 65_642, 65_643, 65_800, 65_850].contains($0) }
        for twice in [65_400, 65_538, 65_720, 65_890] {
            let index = numbers.firstIndex(of: twice) ?? 0
            numbers.insert(twice, at: index + 2)
        }
        return numbers
    }
}
