// What a flow takes for RTP and RTCP, and how long a packet must be.

import CrosspointShim
import TestSupport
import Testing

@testable import FastPath

extension FastPathSuite {
    @Suite("Payloads")
    struct PayloadTests {
        static func packet(_ change: (inout RTPPacket) -> Void) -> Packet {
            var rtp = RTPPacket()
            change(&rtp)
            return Packet(rtp: rtp)
        }

        static func raw(_ payload: [UInt8]) -> Packet { Packet(rtp: nil, payload: payload) }

        /// A sender report of 28 bytes, or another RTCP packet.
        static func rtcp(type: UInt8 = 200, words: Int = 6) -> Packet {
            raw([0x80, type, 0, UInt8(words)] + [UInt8](repeating: 7, count: words * 4))
        }

        static let invalid: [(String, Packet)] = [
            ("version 0 (STUN)", raw([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + [UInt8](repeating: 5, count: 12))),
            ("version 0 (DTLS)", raw([22, 254, 253] + [UInt8](repeating: 0, count: 20))),
            ("version 1", packet { $0.version = 1 }),
            ("version 3", packet { $0.version = 3 }),
            ("no payload", raw([])),
            ("one byte", raw([0x80])),
            ("11 bytes", raw(Array(RTPPacket().bytes.prefix(11)))),
            ("payload type 72", packet { $0.payloadType = 72 }),
            ("payload type 76", packet { $0.payloadType = 76 }),
            ("CSRCs beyond the end", raw([0x8f] + Array(RTPPacket(payload: [1]).bytes.dropFirst()))),
            ("an extension's header beyond the end", raw([0x90] + Array(RTPPacket(payload: [1]).bytes.dropFirst()))),
            (
                "an extension beyond the end",
                packet {
                    $0.payload = []
                    $0.extension = .init(profile: 1, data: [0, 0, 0, 0], claimedWords: 2)
                }
            ),
            ("an extension of 65535 words", packet { $0.extension = .init(profile: 1, data: [], claimedWords: .max) }),
            (
                "padding of 0",
                packet {
                    $0.padding = 1
                    $0.claimedPadding = 0
                }
            ),
            (
                "padding longer than the payload",
                packet {
                    $0.payload = [1]
                    $0.padding = 3
                    $0.claimedPadding = 5
                }
            ),
            ("RTCP of an odd length", raw(rtcp().udpPayload + [0])),
            ("RTCP of 4 bytes", raw([0x80, 203, 0, 0])),
        ]

        @Test("M-01: what is no valid RTP is dropped and counted")
        func invalidRTP() throws {
            let bench = try TestBench()
            try bench.route(for: Packet(), legs: [bench.leg()])
            for (name, packet) in Self.invalid {
                let outcome = try bench.ingress(packet)
                #expect(outcome.verdict == .drop, "\(name)")
                #expect(outcome.reasons == ["drop_not_rtp": 1], "\(name)")
            }
            #expect(try bench.onlyFlow().invalidPackets == UInt64(Self.invalid.count))
            #expect(try bench.onlyFlow().packets == 0)
        }

        @Test("M-01: raw flows forward any of it untouched")
        func rawFlow() throws {
            let bench = try TestBench()
            let leg = try bench.leg()
            try bench.route(for: Packet(), FlowParameters(payload: .raw), legs: [leg])
            for (name, packet) in Self.invalid {
                #expect(try bench.ingress(packet).frame == packet.sent(by: leg).bytes, "\(name)")
            }
            let flow = try bench.onlyFlow()
            #expect(flow.packets == UInt64(Self.invalid.count))
            #expect(flow.rtp == nil)
            #expect(flow.lastPacketAgeNanoseconds != nil)
        }

        @Test("M-10: a second byte of 192 to 223 is RTCP, other payload types are RTP, marked or not")
        func demultiplexing() throws {
            let bench = try TestBench()
            try bench.route(for: Packet(), legs: [bench.leg()])
            var rtp: UInt64 = 0
            var rtcp: UInt64 = 0
            for second in 0...255 {
                var payload = RTPPacket().bytes
                payload[1] = UInt8(second)
                let outcome = try bench.ingress(Self.raw(payload))
                switch second {
                case 192...223: rtcp += 1
                case 72...76:
                    #expect(outcome.reasons == ["drop_not_rtp": 1], "\(second)")
                    continue
                default: rtp += 1
                }
                #expect(outcome.verdict == .redirect, "\(second)")
                let flow = try bench.onlyFlow()
                #expect(flow.rtcpPackets == rtcp, "\(second)")
                #expect(flow.packets == rtp + rtcp, "\(second)")
            }
            #expect(rtcp == 32)
        }

        @Test("M-10: RTCP follows RTP, bit for bit, but not to legs that change RTP headers")
        func rtcpTargets() throws {
            let bench = try TestBench()
            var leg = try bench.leg()
            let handle = try bench.route(for: Packet(), legs: [leg])
            let report = Self.rtcp()
            #expect(try bench.ingress(report).frame == report.sent(by: leg).bytes)
            leg.ssrc = 5
            let rewriting = leg
            try bench.thread.run { try bench.fastPath.setLegs([rewriting], of: handle) }
            #expect(try bench.ingress(report).reasons == ["drop_no_leg": 1])
            #expect(try bench.ingress(Packet()).verdict == .redirect)
            leg.ssrc = nil
            let plain = leg
            try bench.thread.run { try bench.fastPath.setLegs([plain], of: handle) }
            #expect(try bench.ingress(report).verdict == .redirect)
            #expect(try bench.onlyFlow().rtcpPackets == 3)
            #expect(try bench.onlyFlow().rtp?.receivedPackets == 1)
        }

        @Test("O-06: legs for RTP alone and for RTCP alone get theirs of a UDP port that both share")
        func packetsOfLegs() throws {
            let bench = try TestBench()
            var (rtp, rtcp) = (try bench.leg("10.2.0.5", counter: 1), try bench.leg("10.2.0.6", counter: 2))
            (rtp.packets, rtcp.packets) = (.rtp, .rtcp)
            rtcp.isShut = true
            let legs = [rtp, rtcp]
            let handle = try bench.route(for: Packet(), legs: legs)
            let report = Self.rtcp()
            #expect(try bench.ingress(Packet()).frame == Packet().sent(by: rtp).bytes)
            #expect(try bench.ingress(report).verdict == .drop)
            try bench.thread.run { bench.fastPath.openLeg(2, gate: nil, of: handle) }
            #expect(try bench.ingress(report).frame == report.sent(by: rtcp).bytes)
            // A held stream: nothing but RTCP.
            try bench.thread.run { try bench.fastPath.setLegs([legs[1]], of: handle) }
            #expect(try bench.ingress(Packet()).reasons == ["drop_no_leg": 1])
            try bench.thread.run { try bench.fastPath.setLegs([legs[0]], of: handle) }
            #expect(try bench.ingress(Packet()).verdict == .redirect)
            #expect(try bench.ingress(report).reasons == ["drop_no_leg": 1])
        }

        @Test("M-04: RTCP between two RTP packets leaves jitter alone")
        func rtcpBetween() throws {
            let bench = try TestBench()
            try bench.route(for: Packet(), legs: [bench.leg()])
            _ = try bench.ingress(Packet())
            let index = try #require(
                (0..<bench.fastPath.rtp.count).first { bench.fastPath.rtp[$0].pointee.last_arrival != 0 })
            let before = bench.fastPath.rtp[index].pointee.last_arrival
            _ = try bench.ingress(Self.rtcp())
            #expect(try bench.onlyFlow().rtcpPackets == 1)
            #expect(bench.fastPath.rtp[index].pointee.last_arrival == before)
        }

        @Test("M-10: an RTCP flow takes RTCP alone")
        func rtcpFlow() throws {
            let bench = try TestBench()
            let leg = try bench.leg()
            try bench.route(for: Packet(), FlowParameters(payload: .rtcp), legs: [leg])
            // A BYE of 8 bytes arrives in a frame that was padded.
            var bye = Self.rtcp(type: 203, words: 1)
            bye.trailer = [UInt8](repeating: 0, count: 10)
            #expect(try bench.ingress(bye).frame == bye.sent(by: leg).bytes)
            #expect(try bench.ingress(Self.rtcp()).verdict == .redirect)
            #expect(try bench.ingress(Packet()).reasons == ["drop_not_rtcp": 1])
            #expect(try bench.ingress(Self.raw([])).reasons == ["drop_not_rtcp": 1])
            // What looks like RTCP lies behind the datagram, not in it.
            var behind = Self.raw([])
            behind.ipTrailer = Self.rtcp().udpPayload
            #expect(try bench.ingress(behind).reasons == ["drop_not_rtcp": 1])
            #expect(try bench.onlyFlow().invalidPackets == 3)
        }

        @Test("lengths that contradict each other")
        func lengths() throws {
            let bench = try TestBench()
            for parameters in [FlowParameters(), FlowParameters(payload: .raw)] {
                let handle = try bench.route(for: Packet(), parameters, legs: [bench.leg()])
                let base = Packet()
                let length = UInt16(8 + base.udpPayload.count)
                for claimed: UInt16 in [0, 7, length + 1, .max] {
                    var packet = base
                    packet.claimedUDPLength = claimed
                    let outcome = try bench.ingress(packet)
                    #expect(outcome.verdict == .drop, "UDP length \(claimed)")
                    #expect(outcome.reasons == ["drop_bad_length": 1], "UDP length \(claimed)")
                }
                for claimed: UInt16 in [length + 21, .max] {
                    var packet = base
                    packet.claimedIPLength = claimed
                    #expect(try bench.ingress(packet).reasons == ["drop_bad_length": 1], "IP length \(claimed)")
                }
                // The IP header may leave out the end of a frame: that is padding.
                try bench.thread.run { bench.fastPath.removeFlow(handle) }
                try bench.thread.run { bench.fastPath.waitForGracePeriod() }
            }
        }

        @Test("M-19: of encrypted packets, nothing behind the headers is looked at")
        func encrypted() throws {
            // SRTCP is longer than the packet by an index of 4 bytes and a tag of 10.
            var control = Self.rtcp()
            control.payload += [0x80, 0, 0, 1] + [UInt8](repeating: 9, count: 10)
            // The last byte of the tag is no length of padding.
            let padded = Self.packet {
                $0.padding = 4
                $0.claimedPadding = 0
            }
            for isEncrypted in [false, true] {
                let bench = try TestBench()
                let leg = try bench.leg()
                try bench.route(for: Packet(), FlowParameters(isEncrypted: isEncrypted), legs: [leg])
                for packet in [control, padded] {
                    let result = try bench.ingress(packet)
                    #expect(result.verdict == (isEncrypted ? .redirect : .drop))
                    if isEncrypted { #expect(result.frame == packet.sent(by: leg).bytes) }
                }
                // What is neither RTP nor RTCP is that here too.
                #expect(try bench.ingress(Self.raw([0x40] + [UInt8](repeating: 1, count: 30))).verdict == .drop)
            }
        }

        @Test("M-12: checksums are verified where that is asked for, and IPv6 must have one")
        func checksums() throws {
            let bench = try TestBench()
            let families: [(Packet, String)] = [(Packet(), "10.2.0.5"), (.ipv6(), "2001:db8:2::5")]
            for (packet, destination) in families {
                var absent = packet
                absent.checksum = .absent
                let plain = try bench.route(for: packet, legs: [bench.leg(destination)])
                #expect(try bench.ingress(absent).verdict == (packet.isIPv6 ? .drop : .redirect))
                try bench.thread.run { bench.fastPath.removeFlow(plain) }
                try bench.route(
                    for: packet, FlowParameters(verifiesChecksum: true), legs: [bench.leg(destination)])
                #expect(try bench.ingress(absent).verdict == (packet.isIPv6 ? .drop : .redirect))
                for count in [0, 1, 2, 3, 43, 44, 45, 1200, 1399, 1400] {
                    var long = packet
                    long.rtp?.payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                    #expect(try bench.ingress(long).verdict == .redirect, "\(count) bytes")
                    long.checksum = .wrong(by: 1)
                    let outcome = try bench.ingress(long)
                    #expect(outcome.verdict == .drop, "\(count) bytes")
                    #expect(outcome.reasons == ["drop_bad_checksum": 1], "\(count) bytes")
                }
            }
        }

        @Test("M-13: a jumbo frame of 9000 bytes, which comes in fragments", arguments: [Packet(), Packet.ipv6()])
        func jumbo(_ packet: Packet) throws {
            let bench = try TestBench()
            var packet = packet
            packet.rtp?.payload = (0..<8900).map { UInt8(truncatingIfNeeded: $0 / 3) }
            packet.rtp?.padding = 9
            var leg = try bench.leg(packet.isIPv6 ? "2001:db8:2::5" : "10.2.0.5")
            leg.vlans = [5]
            try bench.route(for: packet, FlowParameters(verifiesChecksum: true), legs: [leg])
            #expect(try bench.ingress(packet).frame == packet.sent(by: leg).bytes)
            packet.checksum = .wrong(by: 0x100)
            #expect(try bench.ingress(packet).reasons == ["drop_bad_checksum": 1])
        }
    }
}
