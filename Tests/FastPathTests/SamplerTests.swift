// Samples of what arrives at a port, by the ingress program itself.

import CrosspointShim
import RTPWire
import TestSupport
import Testing

@testable import FastPath

extension FastPathSuite {
    @Suite("Sampler")
    struct SamplerTests {
        /// A deadline that does not pass in a test.
        private static let later = UInt64(Int64.max)
        private static let packet = Packet()

        private func collect(
            _ sampler: inout PortSampler, deadline: UInt64 = later
        ) -> [FrameSample] {
            var samples: [FrameSample] = []
            sampler.collect(deadline: deadline) { samples.append($0) }
            return samples
        }

        @Test("a port's packets are all seen while they are few, whatever becomes of them")
        func seesAll() throws {
            let bench = try TestBench()
            var other = Self.packet
            other.destination = "239.1.1.99"
            try bench.route(for: Self.packet, legs: [try bench.leg()])
            var sampler = try bench.fastPath.portSampler()
            sampler.begin(interfaceIndex: bench.interface, deadline: Self.later)
            let frames = [Self.packet.bytes, other.bytes, Array(Self.packet.bytes.prefix(20))]
            for frame in frames { _ = try bench.ingress(frame) }
            let samples = collect(&sampler)
            #expect(samples.map(\.weight) == [1, 1, 1])
            for (sample, frame) in zip(samples, frames) {
                #expect(Int(sample.length) == frame.count)
                #expect(sample.bytes == Array(frame.prefix(112)))
            }
            #expect(collect(&sampler).isEmpty)
        }

        @Test("a scan changes no verdict, no frame and no count")
        func changesNothing() throws {
            let bench = try TestBench()
            try bench.route(for: Self.packet, legs: [try bench.leg()])
            let before = try bench.ingress(Self.packet)
            var sampler = try bench.fastPath.portSampler()
            sampler.begin(interfaceIndex: bench.interface, deadline: Self.later)
            let during = try bench.ingress(Self.packet)
            #expect(during.verdict == before.verdict && during.frame == before.frame)
            #expect(during.reasons == before.reasons)
            #expect(collect(&sampler).count == 1)
        }

        @Test("nothing is seen at another port, nor before a scan, nor after it")
        func isOffOtherwise() throws {
            let bench = try TestBench()
            var sampler = try bench.fastPath.portSampler()
            _ = try bench.ingress(Self.packet)
            #expect(collect(&sampler).isEmpty)
            sampler.begin(interfaceIndex: bench.outputs[0].interfaceIndex ?? 0, deadline: Self.later)
            _ = try bench.ingress(Self.packet)
            #expect(collect(&sampler).isEmpty)
            sampler.begin(interfaceIndex: bench.interface, deadline: Self.later)
            sampler.end()
            _ = try bench.ingress(Self.packet)
            #expect(collect(&sampler).isEmpty)
        }

        @Test("a scan whose daemon is gone ends with the first packet after its deadline")
        func endsByItself() throws {
            let bench = try TestBench()
            var sampler = try bench.fastPath.portSampler()
            sampler.begin(interfaceIndex: bench.interface, deadline: 1)
            _ = try bench.ingress(Self.packet)
            let lanes = try MappedArray<crosspoint_scan_lane>(
                try #require(try bench.tables.open(.maps, "scan_lanes")), name: "scan_lanes", writable: false)
            for cpu in 0..<lanes.count where lanes[cpu].pointee.taken != 0 { Issue.record("a sample on CPU \(cpu)") }
            // The tests' packets are all on CPU 0.
            #expect(lanes[0].pointee.countdown == 0)
            // One that was only held up goes on.
            #expect(collect(&sampler).isEmpty)
            _ = try bench.ingress(Self.packet)
            #expect(collect(&sampler).count == 1)
        }

        @Test("at high rates one packet of many is seen, and stands for the others")
        func standsForOthers() throws {
            let bench = try TestBench()
            var sampler = try bench.fastPath.portSampler()
            sampler.begin(interfaceIndex: bench.interface, deadline: Self.later)
            // The verdict is to drop or pass: the frame stays as it is through all runs.
            func send(_ packets: Int) throws {
                _ = try bench.thread.run {
                    try bench.fastPath.costOfIngress(
                        frame: Self.packet.bytes, interfaceIndex: bench.interface, runs: packets)
                }
            }
            // The table is full after 512 samples; the rest is not lost but waits for the next sample.
            try send(100_000)
            #expect(collect(&sampler).count == Int(CROSSPOINT_SCAN_SAMPLES))
            for _ in 0..<10 {
                try send(100_000)
                let samples = collect(&sampler)
                let weight = samples.reduce(0) { $0 + UInt64($1.weight) }
                #expect(samples.count <= Int(CROSSPOINT_SCAN_SAMPLES))
                #expect(weight <= 300_000)
            }
            // By now the stride fits the rate.
            try send(100_000)
            let samples = collect(&sampler)
            #expect((250..<512).contains(samples.count), "\(samples.count)")
            let weight = samples.reduce(0) { $0 + UInt64($1.weight) }
            #expect((99_000...101_500).contains(weight), "\(weight)")
            // Not at equal distances.
            #expect(Set(samples.map(\.weight)).count > 50)
        }

        @Test("a daemon that starts finds the sampler of the programs that it adopts")
        func isAdopted() throws {
            let bench = try TestBench()
            let pins = bench.pins
            let again = try bench.thread.run { try FastPath(pins: pins, name: "bench") }
            #expect(again.origin == .adopted)
            var sampler = try again.portSampler()
            sampler.begin(interfaceIndex: bench.interface, deadline: Self.later)
            _ = try bench.ingress(Self.packet)
            #expect(collect(&sampler).count == 1)
        }
    }
}
