// What a flow does with its packets besides forwarding them: strangers, own packets, gates, events, hand-over.

import CrosspointShim
import Glibc
import RTPWire
import TestSupport
import Testing

@testable import FastPath

extension FastPathSuite {
    @Suite("Policies")
    struct PolicyTests {
        private func keyWithSource(_ bench: TestBench) throws -> FlowKey {
            var key = try bench.key(for: Packet())
            key.source = IPAddress(Packet().source)
            return key
        }

        @Test("M-09: unknown sources are dropped, or handed to the host")
        func unknownSource() throws {
            for (policy, reason) in [
                (FlowParameters.UnknownSource.drop, "drop_wrong_source"), (.report, "drop_wrong_source"),
                (.toHost, "pass_unknown_source"),
            ] {
                let bench = try TestBench()
                try bench.route(
                    try keyWithSource(bench), FlowParameters(unknownSource: policy), legs: [bench.leg()])
                let stranger = Packet(source: "10.1.0.99")
                let outcome = try bench.ingress(stranger)
                #expect(outcome.verdict == (policy == .toHost ? .pass : .drop))
                #expect(outcome.reasons == [reason: 1])
                if policy == .toHost { #expect(outcome.frame == stranger.bytes) }
                #expect(try bench.ingress(Packet()).verdict == .redirect)
                #expect(try bench.onlyFlow().wrongSourcePackets == 1)
            }
        }

        @Test("M-09: each unknown source is reported once, and a flow's first packet")
        func events() async throws {
            let (handle, stream, start) = try Self.runStrangers()
            var events: [FastPathEvent] = []
            for await event in stream {
                events.append(event)
                if event.sourceUDPPort == 60_000 { break }
            }
            #expect(events.map(\.kind) == [.unknownSource, .firstPacket, .unknownSource, .unknownSource])
            #expect(events.map(\.sourceUDPPort) == [5000, 5000, 5001, 60_000])
            #expect(events.first?.source == IPAddress(10, 1, 0, 99))
            #expect(events.dropFirst().first?.source == IPAddress(10, 1, 0, 7))
            #expect(events.allSatisfy { $0.flow == handle && $0.time >= start })
        }

        /// Gives strangers to a flow and closes everything; the stream keeps what was reported.
        private static func runStrangers() throws -> (FlowHandle, AsyncStream<FastPathEvent>, UInt64) {
            let bench = try TestBench()
            let stream = try bench.thread.run { try bench.fastPath.events() }
            var key = try bench.key(for: Packet())
            key.source = IPAddress(Packet().source)
            var now = timespec()
            clock_gettime(CLOCK_MONOTONIC, &now)
            let handle = try bench.route(key, FlowParameters(unknownSource: .report), legs: [bench.leg()])
            for _ in 0..<3 { _ = try bench.ingress(Packet(source: "10.1.0.99")) }
            for _ in 0..<3 { _ = try bench.ingress(Packet()) }
            for _ in 0..<3 { _ = try bench.ingress(Packet(source: "10.1.0.99", sourcePort: 5001)) }
            // The last one tells the test that there are no others before it.
            _ = try bench.ingress(Packet(source: "10.1.0.98", sourcePort: 60_000))
            return (handle, stream, UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec))
        }

        @Test("M-08: our own packet, come back, is dropped")
        func ownPacket() throws {
            let bench = try TestBench()
            try bench.route(for: Packet(), legs: [bench.leg()])
            var packet = Packet()
            packet.sourceMAC = bench.input.mac.description
            let outcome = try bench.ingress(packet)
            #expect(outcome.verdict == .drop)
            #expect(outcome.reasons == ["drop_own_packet": 1])
            #expect(try bench.onlyFlow().packets == 0)
            // Every byte of the address counts.
            for byte in 0..<6 {
                var frame = packet.bytes
                frame[6 + byte] ^= 0x10
                #expect(try bench.ingress(frame).verdict == .redirect, "byte \(byte)")
            }
        }

        @Test("M-08: two sources with one SSRC")
        func twoSources() throws {
            let bench = try TestBench()
            try bench.route(for: Packet(), legs: [bench.leg()])
            for sequence in UInt16(1)...10 {
                let source = sequence > 5 ? "10.1.0.8" : "10.1.0.7"
                _ = try bench.ingress(Packet(source: source, rtp: RTPPacket(sequence: sequence)))
            }
            let statistics = try #require(try bench.onlyFlow().rtp)
            #expect(statistics.sourceChanges == 1)
            #expect(statistics.ssrcChanges == 0)
            #expect(statistics.receivedPackets == 10)
        }

        @Test("a flow without legs is accounted and dropped")
        func withoutLegs() throws {
            let bench = try TestBench()
            try bench.route(for: Packet())
            let outcome = try bench.ingress(Packet())
            #expect(outcome.verdict == .drop)
            #expect(outcome.reasons == ["drop_no_leg": 1])
            #expect(try bench.onlyFlow().rtp?.receivedPackets == 1)
        }

        @Test("a flow for the host is accounted and passed")
        func toHost() throws {
            let bench = try TestBench()
            try bench.route(for: Packet(), FlowParameters(goesToHost: true), legs: [bench.leg()])
            let outcome = try bench.ingress(Packet())
            #expect(outcome.verdict == .pass)
            #expect(outcome.frame == Packet().bytes)
            #expect(outcome.reasons == ["pass_to_host": 1])
            #expect(try bench.onlyFlow().packets == 1)
        }

        @Test("a gated leg begins at its sequence number", arguments: [1, 2])
        func gateBySequence(legs count: Int) throws {
            let bench = try TestBench()
            let egress = try EgressBench(bench)
            var gated = try bench.leg()
            gated.gate = .init(sequence: 65_538, deadline: .max)
            let legs = count == 1 ? [gated] : [gated, try bench.leg("10.2.0.6")]
            // 65530 comes first: 65538 is the 2 that comes after the wrap.
            try bench.route(for: Packet(), legs: legs)
            for number in [65_530, 65_531, 65_537, 65_536, 65_538, 65_539, 65_535] {
                let packet = Packet(rtp: RTPPacket(sequence: UInt16(truncatingIfNeeded: number)))
                let outcome = try bench.ingress(packet)
                let isOpen = number >= 65_538
                if count == 1 {
                    #expect(outcome.verdict == (isOpen ? .redirect : .drop), "\(number)")
                    #expect(outcome.reasons == (isOpen ? [:] : ["copy_gated": 1]), "\(number)")
                } else {
                    #expect(outcome.verdict == .redirect, "\(number)")
                    let first = try egress.run(outcome.frame, output: 0)
                    #expect(first.verdict == (isOpen ? .pass : .drop), "\(number)")
                    #expect(first.reasons == (isOpen ? [:] : ["copy_gated": 1]), "\(number)")
                    #expect(try egress.run(outcome.frame, output: 0).verdict == .pass, "\(number)")
                }
            }
        }

        @Test("a gate opens at its deadline, for RTCP, and where nothing is accounted")
        func gateOtherwise() throws {
            let bench = try TestBench()
            var leg = try bench.leg()
            leg.gate = .init(sequence: 60_000, deadline: 1)
            let past = leg
            leg.gate?.deadline = .max
            let future = leg
            let handle = try bench.route(for: Packet(), legs: [past])
            #expect(try bench.ingress(Packet()).verdict == .redirect)
            try bench.thread.run { try bench.fastPath.setLegs([future], of: handle) }
            #expect(try bench.ingress(Packet()).verdict == .drop)
            #expect(try bench.ingress(PayloadTests.rtcp()).verdict == .redirect)
            try bench.thread.run { bench.fastPath.setParameters(FlowParameters(accounts: false), of: handle) }
            #expect(try bench.ingress(Packet()).verdict == .redirect)
        }

        @Test("a frame that comes with somebody else's metadata", arguments: [4, 8, 16, 32])
        func foreignMetadata(size: Int) throws {
            let bench = try TestBench()
            let egress = try EgressBench(bench)
            let leg = try bench.leg()
            let other = try bench.leg("10.2.0.6")
            let handle = try bench.route(for: Packet(), legs: [leg])
            let frame = [UInt8](repeating: 0xaa, count: size) + Packet().bytes
            func run() throws -> TestBench.Outcome {
                try bench.counted {
                    try bench.fastPath.run(
                        bench.fastPath.ingress, frame: frame, interfaceIndex: bench.interface, metadata: size)
                }
            }
            // Nobody behind here sees it.
            #expect(try run().frame == Packet().sent(by: leg).bytes)
            try bench.thread.run { try bench.fastPath.setLegs([leg, other], of: handle) }
            let outcome = try run()
            #expect(outcome.frame.count == Packet().bytes.count)
            for leg in [leg, other] {
                #expect(
                    try egress.run(outcome.frame, output: 0).frame == Packet().sent(by: leg).bytes)
            }
        }

        @Test("parameters change and counters go on")
        func parameters() throws {
            let bench = try TestBench()
            let handle = try bench.route(for: Packet(), legs: [bench.leg()])
            _ = try bench.ingress(Packet())
            try bench.thread.run { bench.fastPath.setParameters(FlowParameters(clockRate: 48_000), of: handle) }
            _ = try bench.ingress(Packet(rtp: RTPPacket(sequence: 1001)))
            let flow = try bench.onlyFlow()
            #expect(flow.packets == 2 && flow.rtp?.receivedPackets == 2)
            #expect(flow.rtp?.clockRate == 48_000)
            try bench.thread.run {
                bench.fastPath.setParameters(FlowParameters(verifiesChecksum: true), of: handle)
            }
            var damaged = Packet()
            damaged.checksum = .wrong(by: 7)
            #expect(try bench.ingress(damaged).reasons == ["drop_bad_checksum": 1])
        }
    }
}
