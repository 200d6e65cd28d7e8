// What a plan has the generator do.

import CrosspointShim
import RTPWire
import Testing

@testable import Qualification

@Suite struct TrafficPlanTests {
    private func plan(_ name: String, flows: Int, seconds: Double = 1) throws -> TrafficPlan {
        TrafficPlan(
            format: try #require(MediaFormat.named(name)), flows: flows, seconds: seconds,
            destinationMAC: try #require(MACAddress("02:00:00:00:00:01")),
            sourceMAC: try #require(MACAddress("02:00:00:00:00:02")), source: IPAddress(198, 19, 255, 2),
            destination: IPAddress(198, 18, 0, 0))
    }

    @Test func packetsFollowAtTheRateOfAllFlowsTogether() throws {
        var plan = try plan("2110-20-1080p59.94", flows: 31)
        plan.quantum = 8
        // 31 x 258 941.06 packets a second: one in 124.58 ns.
        #expect(plan.record.interval == 8_164_269)
        #expect(plan.packets == 8_027_168 && plan.packets % 8 == 0)
        #expect(plan.record.duration == 1_015_000_000)
        #expect(try self.plan("2110-40-1080p50", flows: 1).record.interval == 20_000_000 << 16)
    }

    @Test func flatOutHasNeitherPaceNorLimit() throws {
        var plan = try plan("2110-20-1080p59.94", flows: 1, seconds: 0.5)
        plan.isFlatOut = true
        #expect(plan.record.interval == 0 && plan.record.limit == .max && plan.record.duration == 500_000_000)
    }

    @Test func framesHaveTheFormatsLength() throws {
        for format in MediaFormat.all {
            let plan = try plan(format.name, flows: 3)
            let frame = plan.frame
            #expect(frame.count == format.frameLength)
            #expect(Int(frame[16]) << 8 + Int(frame[17]) == format.frameLength - 14)
            #expect(Int(frame[38]) << 8 + Int(frame[39]) == format.frameLength - 34)
        }
    }

    @Test func theSumOfTheHeaderIsThatOfItsWords() throws {
        // RFC 1071: the complement of the folded sum makes a header whose own sum is all ones.
        let plan = try plan("2022-6", flows: 2)
        var frame = plan.frame
        var sum = plan.record.address_sum + 1
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        frame[33] = 1
        (frame[24], frame[25]) = (UInt8(~UInt16(sum) >> 8), UInt8(~UInt16(sum) & 0xff))
        var check = stride(from: 14, to: 34, by: 2).reduce(UInt32(0)) {
            $0 + UInt32(frame[$1]) << 8 + UInt32(frame[$1 + 1])
        }
        while check > 0xffff { check = check & 0xffff + check >> 16 }
        #expect(check == 0xffff)
    }

    @Test func procStatIsRead() {
        let text = """
            cpu  100 1 50 1000 7 2 30 4 0 0
            cpu0 60 1 20 500 3 1 10 2 0 0
            cpu1 40 0 30 500 4 1 20 2 0 0
            intr 12345
            """
        let readings = ProcessorTimes.parse(text)
        #expect(readings == [.init(user: 61, system: 20, softirq: 11), .init(user: 40, system: 30, softirq: 21)])
        let times = ProcessorTimes.between(
            [.init(user: 0, system: 0, softirq: 0)], [.init(user: 50, system: 25, softirq: 10)], seconds: 1)
        #expect(times == [ProcessorTimes(user: 0.5, system: 0.25, softirq: 0.1)])
        #expect(times.first.map { abs($0.busy - 0.85) < 1e-9 } == true)
    }
}
