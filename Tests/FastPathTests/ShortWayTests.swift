// The two ways through ingress: the short one takes what is plain, and does with it what the long one would.

import CLibBPF
import CrosspointShim
import RTPWire
import TestSupport
import Testing

@testable import FastPath

extension FastPathSuite {
    @Suite("The short way")
    struct ShortWayTests {
        /// A node with a flow of every kind, each at a UDP port of its own, and the random traffic for them.
        private struct Scene {
            let bench: TestBench
            /// The last sequence number of each flow.
            private var sequences: [UInt16]

            /// The first flow's UDP port; the others' follow.
            static let firstUDPPort: UInt16 = 5000

            init() throws {
                let bench = try TestBench()
                self.bench = bench
                typealias Change = (inout LegParameters) -> Void
                var flows: [(FlowParameters, [Change])] = []
                func add(_ parameters: FlowParameters, _ legs: Change...) { flows.append((parameters, legs)) }
                let rtp = FlowParameters(clockRate: 90_000, reportsFirstPacket: false)
                func parameters(_ change: (inout FlowParameters) -> Void) -> FlowParameters {
                    var parameters = rtp
                    change(&parameters)
                    return parameters
                }
                let plain: Change = { _ in }
                add(rtp, plain)
                add(FlowParameters(clockRate: 90_000), plain)
                add(parameters { $0.accounts = false }) {
                    $0.timeToLive = .set(9)
                    $0.dscp = 34
                }
                add(parameters { $0.clockMask = 7 }) {
                    $0.source = nil
                    $0.timeToLive = .keep
                }
                add(rtp) {
                    $0.sourceUDPPort = 7000
                    $0.payloadType = 33
                    $0.ssrc = 7
                }
                add(rtp) {
                    $0.sequenceOffset = 9
                    $0.timestampOffset = 0xffff_fff0
                }
                add(rtp) { $0.vlans = [7] }
                add(rtp) { $0.isShut = true }
                add(rtp, plain) { $0.timeToLive = .set(3) }
                add(rtp)
                add(parameters { $0.payload = .raw }, plain)
                add(parameters { $0.payload = .rtcp }, plain)
                add(parameters { $0.goesToHost = true }, plain)
                add(parameters { $0.verifiesChecksum = true }, plain)
                add(parameters { $0.isEncrypted = true }, plain)
                for (number, (parameters, changes)) in flows.enumerated() {
                    let packet = Packet(destinationPort: Self.firstUDPPort + UInt16(number))
                    let handle = try bench.route(for: packet, parameters)
                    var legs: [LegParameters] = []
                    for (index, change) in changes.enumerated() {
                        let counter = try bench.thread.run {
                            try bench.fastPath.addLegCounter(flow: handle, number: UInt32(index), to: "leg \(index)")
                        }
                        var leg = try bench.leg("10.2.0.\(5 + index)", counter: counter)
                        change(&leg)
                        legs.append(leg)
                    }
                    try bench.thread.run { try bench.fastPath.setLegs(legs, of: handle) }
                }
                // Flows that look at the source, by address and by UDP port.
                for (number, sourcePort) in [nil, UInt16(5000)].enumerated() {
                    var key = try bench.key(
                        for: Packet(destinationPort: Self.firstUDPPort + UInt16(flows.count + number)))
                    key.source = IPAddress("10.1.0.7")
                    key.sourceUDPPort = sourcePort
                    try bench.route(key, rtp, legs: [bench.leg()])
                }
                sequences = [UInt16](repeating: 65_500, count: flows.count + 2)
            }

            /// Mostly the next plain packet of a flow; else something about it is not plain, not right, or not in order.
            mutating func packet(_ random: inout SeededGenerator) -> Packet {
                let flow = Int.random(in: 0..<sequences.count, using: &random)
                sequences[flow] &+= 1
                var rtp = RTPPacket(sequence: sequences[flow], timestamp: UInt32(sequences[flow]) * 3000)
                rtp.payload = (0..<Int.random(in: 0...90, using: &random)).map { UInt8($0) }
                rtp.marker = .random(using: &random)
                var packet = Packet(destinationPort: Self.firstUDPPort + UInt16(flow), rtp: rtp)
                packet.trafficClass = .random(in: 0...255, using: &random)
                packet.timeToLive = .random(in: 2...255, using: &random)
                if Int.random(in: 0..<4, using: &random) == 0 { packet.checksum = .absent }
                guard Int.random(in: 0..<3, using: &random) == 0 else { return packet }
                switch Int.random(in: 0..<22, using: &random) {
                case 0: packet.timeToLive = .random(in: 0...2, using: &random)
                case 1: packet.rtp?.extension = .oneByte
                case 2: packet.rtp?.padding = 4
                case 3: packet.rtp?.csrcs = [1, 2]
                case 4: packet.rtp?.version = .random(in: 0...3, using: &random)
                case 5: packet.rtp?.payloadType = .random(in: 64...80, using: &random)
                case 6: packet.rtp?.ssrc = .random(in: 0...1, using: &random)
                case 7: packet.rtp?.sequence &-= .random(in: 0...70, using: &random)
                case 8: sequences[flow] &+= .random(in: 1...5000, using: &random)
                case 9: packet.source = "10.1.0.8"
                case 10: packet.sourcePort = 5001
                case 11: packet.sourceMAC = "02:00:00:00:00:01"
                case 12: packet.tags = [.init(5)]
                case 13: packet.trailer = [1, 2, 3]
                case 14: packet.ipTrailer = [1, 2, 3]
                case 15: packet.claimedUDPLength = .random(in: 0...40, using: &random)
                case 16: packet.claimedIPLength = .random(in: 0...80, using: &random)
                case 17: packet.options = [1, 1, 1, 1]
                case 18: packet.fragmentField = [0x2000, 0x4001, 0].randomElement(using: &random) ?? 0
                case 19: packet.checksum = .wrong(by: 9)
                case 20:
                    packet.rtp = nil
                    packet.payload = (0..<Int.random(in: 0...40, using: &random)).map { UInt8($0) }
                default: packet.protocolNumber = 6
                }
                return packet
            }

            /// Everything that was counted, but for what depends on the clock.
            func counts() throws -> StatisticsSnapshot {
                var snapshot = try bench.snapshot()
                for index in snapshot.flows.indices {
                    snapshot.flows[index].lastPacketAgeNanoseconds =
                        snapshot.flows[index].lastPacketAgeNanoseconds.map { _ in 0 }
                    // Of silent flows alone, in the last seconds: a matter of the clock.
                    snapshot.flows[index].sighting = nil
                    snapshot.flows[index].rtp?.largestGapNanoseconds = 0
                    snapshot.flows[index].rtp?.jitterNanoseconds = nil
                    snapshot.flows[index].rtp?.jitterTimestampUnits = nil
                    snapshot.flows[index].rtp?.largestJitterNanoseconds = nil
                }
                return snapshot
            }
        }

        @Test("leaves the same bytes and the same counts as the long way", arguments: 0..<4)
        func agreement(seed: UInt64) throws {
            var (short, long) = (try Scene(), try Scene())
            let ingressLong = try EgressBench(long.bench).ingressLong
            var (random, same) = (SeededGenerator(seed: seed), SeededGenerator(seed: seed))
            var redirected = 0
            for number in 0..<3000 {
                let frame = short.packet(&random).bytes
                #expect(long.packet(&same).bytes == frame)
                let (first, second) = (short.bench, long.bench)
                let one = try first.thread.run {
                    try first.fastPath.runIngress(frame: frame, interfaceIndex: first.interface)
                }
                let other = try second.thread.run {
                    try second.fastPath.run(ingressLong, frame: frame, interfaceIndex: second.interface)
                }
                try #require(one == other, "packet \(number): \(frame)")
                if one.verdict == .redirect { redirected += 1 }
            }
            #expect(redirected > 1500)
            let (counted, expected) = (try short.counts(), try long.counts())
            #expect(counted.flows == expected.flows)
            #expect(counted.ports == expected.ports)
        }

        @Test("takes plain media, and nothing else: without a long way, that alone leaves")
        func plainAlone() throws {
            let bench = try TestBench()
            let parameters = FlowParameters(clockRate: 90_000, reportsFirstPacket: false)
            let second = Packet(destinationPort: 5006)
            let tagged = {
                var packet = Packet(destinationPort: 5008)
                packet.tags = [.init(5)]
                return packet
            }()
            try bench.route(for: Packet(), parameters, legs: [bench.leg()])
            try bench.route(for: second, parameters, legs: [bench.leg(), bench.leg("10.2.0.6")])
            try bench.route(for: tagged, parameters, legs: [bench.leg()])
            #expect(try bench.ingress(tagged).verdict == .redirect)
            let pins = bench.tables
            let ways = try #require(try bench.thread.run { () throws(FastPathError) in try pins.open(.maps, "ways") })
            var way = UInt32(0)
            #expect(ways.use { bpf_map_delete_elem($0, &way) } == 0)
            #expect(try bench.ingress(Packet()).verdict == .redirect)
            #expect(try bench.ingress(second).verdict == .redirect)
            #expect(try bench.ingress(tagged).verdict == .drop)
        }
    }
}
