// SRTP in the loop: whole frames, byte for byte, in one buffer and several, over both address families.

import CrosspointShim
import EngineSupport
import RTPWire
import SRTP
import SRTPKeys
import TestSupport
import Testing

@testable import AFXDP
@testable import FastPath

@Suite("SRTP in the AF_XDP engine")
struct ProtectionTests {
    /// A leg to one of two families, encrypted or not.
    struct Leg {
        var isIPv6 = false
        var isProtected = true
        var keepsSource = false
        var port: UInt16 = 1
    }

    static func key(_ first: UInt8, _ profile: SRTPProfile = .aeadAES128GCM) throws -> SRTPKey {
        try SRTPKey(
            profile, masterKey: (0..<profile.masterKeyLength).map { first &+ UInt8($0) },
            masterSalt: (0..<profile.masterSaltLength).map { first &+ 50 &+ UInt8($0) }, identifier: [first])
    }

    static func set(_ legs: [Leg], of node: SyntheticNode, contexts: [WorkerContext?], fromIPv6: Bool) {
        node.setLegs(
            legs.enumerated().map { number, leg in
                let parameters = LegParameters(
                    port: leg.port, counter: UInt32(number), sourceMAC: .zero, destinationMAC: .zero,
                    source: leg.keepsSource ? nil : IPAddress(leg.isIPv6 ? "2001:db8:2::1" : "10.2.0.1"),
                    destination: IPAddress(leg.isIPv6 ? "2001:db8:2::5" : "10.2.0.5")!,
                    udpPort: UInt16(20_000 + number), changesFamily: leg.isIPv6 != fromIPv6,
                    isProtected: leg.isProtected)
                return (parameters.record, parameters.detail)
            })
        for (number, context) in contexts.enumerated() { node.legContexts[number] = context?.address }
    }

    static func note(_ node: SyntheticNode, _ packet: Packet, isControl: Bool = false) -> crosspoint_metadata {
        let frame = packet.bytes
        var flags = UInt32(14) | (isControl ? CROSSPOINT_FRAME_RTCP : CROSSPOINT_FRAME_RTP).rawValue
        if packet.isIPv6 {
            flags |= CROSSPOINT_FRAME_IPV6.rawValue
        } else {
            let without = frame.withUnsafeBytes { bytes in
                HeaderRewriter.fold(
                    UInt64(~bytes.loadUnaligned(fromByteOffset: 26, as: UInt32.self))
                        + UInt64(~bytes.loadUnaligned(fromByteOffset: 30, as: UInt32.self)))
            }
            flags |= UInt32(without) << UInt32(CROSSPOINT_FRAME_WITHOUT.rawValue)
        }
        return node.note(frame: flags)
    }

    static func payload(_ count: Int, sequence: UInt16) -> [UInt8] {
        [0x80, 96, UInt8(sequence >> 8), UInt8(sequence & 0xff), 0, 0, 0, 1, 0, 0, 0, 0]
            + (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    }

    static func packet(_ payload: [UInt8], isIPv6: Bool) -> Packet {
        var packet = isIPv6 ? Packet.ipv6(rtp: nil) : Packet(rtp: nil)
        packet.payload = payload
        return packet
    }

    /// The frame that a leg sends with this UDP payload.
    static func expected(_ packet: Packet, _ leg: Leg, _ number: Int, payload: [UInt8], isChanged: Bool)
        -> [UInt8]
    {
        var copy = packet
        copy.destinationMAC = "00:00:00:00:00:00"
        copy.sourceMAC = "00:00:00:00:00:00"
        if !leg.keepsSource { copy.source = leg.isIPv6 ? "2001:db8:2::1" : "10.2.0.1" }
        copy.destination = leg.isIPv6 ? "2001:db8:2::5" : "10.2.0.5"
        copy.destinationPort = UInt16(20_000 + number)
        copy.timeToLive -= 1
        copy.payload = payload
        if isChanged, !leg.isIPv6 { copy.checksum = .absent }
        // What has no counterpart in the other family.
        if leg.isIPv6 != packet.isIPv6 { copy.identification = 0 }
        return copy.bytes
    }

    static func protect(
        _ sender: inout SRTPSender, _ payload: [UInt8], isControl: Bool = false
    ) throws -> [UInt8] {
        var bytes = payload + [UInt8](repeating: 0, count: 64)
        let count = try bytes.withUnsafeMutableBytes {
            try sender.protect($0.baseAddress!, length: payload.count, isControl: isControl)
        }
        return Array(bytes.prefix(count))
    }

    @Test(arguments: [(100, false), (1400, false), (1400, true), (8900, false), (3790, true)])
    func legsAreEncryptedEachWithItsKey(count: Int, isIPv6: Bool) throws {
        let node = SyntheticNode()
        let input = node.open(port: 0, receives: true, mtu: 9100)
        let output = node.open(port: 1, receives: false, sharesPayload: true, mtu: 9100)
        let legs = [
            Leg(), Leg(isIPv6: true), Leg(isIPv6: isIPv6, isProtected: false), Leg(isIPv6: isIPv6, keepsSource: true),
            Leg(isIPv6: isIPv6, port: 0),
        ]
        let keys = try [1, 2, 3, 4, 5].map { try Self.key($0, $0 == 2 ? .aesCM128HMACSHA1_80 : .aeadAES128GCM) }
        let contexts = try keys.enumerated().map { number, key -> WorkerContext? in
            legs[number].isProtected ? try WorkerContext.sending(key, indices: SentIndices()) : nil
        }
        Self.set(legs, of: node, contexts: contexts, fromIPv6: isIPv6)
        var senders: [Int: [[UInt8]]] = [:]
        let sequences: [UInt16] = [65_534, 65_535, 0, 1]
        for (number, key) in keys.enumerated() where legs[number].isProtected {
            var sender = try SRTPSender(key, indices: SentIndices())
            senders[number] = try sequences.map { try Self.protect(&sender, Self.payload(count, sequence: $0)) }
        }
        _ = node.loop.pointee.pass(now: 1)
        for (round, sequence) in sequences.enumerated() {
            let payload = Self.payload(count, sequence: sequence)
            let packet = Self.packet(payload, isIPv6: isIPv6)
            try #require(input.receive(packet.bytes, note: Self.note(node, packet)))
            #expect(node.loop.pointee.pass(now: UInt64(round + 2)) == 1)
            let sent = Set((output.takeSent() + input.takeSent()).map(\.bytes))
            for (number, leg) in legs.enumerated() {
                let wanted = Self.expected(
                    packet, leg, number, payload: senders[number]?[round] ?? payload, isChanged: leg.isProtected)
                let isSent = sent.contains(wanted)
                #expect(isSent, "leg \(number), packet \(sequence)")
            }
            #expect(sent.count == legs.count)
        }
        _ = node.loop.pointee.pass(now: 100)
        #expect(node.memory.pointee.freeCount + input.waitingFrames == node.frames, "frames are missing")
        withExtendedLifetime(contexts) {}
    }

    @Test(arguments: [(100, false), (1400, true), (3800, false), (3806, false), (7640, false), (8900, true)])
    func flowsAreDecryptedOnceForAllLegs(count: Int, isIPv6: Bool) throws {
        let node = SyntheticNode()
        let input = node.open(port: 0, receives: true, mtu: 9100)
        let output = node.open(port: 1, receives: false, sharesPayload: true, mtu: 9100)
        let key = try Self.key(9)
        let other = try Self.key(8, .aesCM256HMACSHA1_32)
        let receiver = try WorkerContext.receiving([key])
        let protection = try WorkerContext.sending(other, indices: SentIndices())
        node.flowContexts[0] = receiver.address
        let legs = [
            Leg(isProtected: false), Leg(isIPv6: true, isProtected: false), Leg(isIPv6: isIPv6),
            Leg(isIPv6: isIPv6, isProtected: false, port: 0),
        ]
        Self.set(legs, of: node, contexts: [nil, nil, protection, nil], fromIPv6: isIPv6)
        var camera = try SRTPSender(key, indices: SentIndices())
        var again = try SRTPSender(other, indices: SentIndices())
        _ = node.loop.pointee.pass(now: 1)
        for sequence in [65_535, 0, 1] as [UInt16] {
            let plain = Self.payload(count, sequence: sequence)
            let packet = Self.packet(try Self.protect(&camera, plain), isIPv6: isIPv6)
            let encrypted = try Self.protect(&again, plain)
            try #require(input.receive(packet.bytes, note: Self.note(node, packet)))
            #expect(node.loop.pointee.pass(now: 2) == 1)
            let sent = Set((output.takeSent() + input.takeSent()).map(\.bytes))
            for (number, leg) in legs.enumerated() {
                let wanted = Self.expected(
                    packet, leg, number, payload: leg.isProtected ? encrypted : plain, isChanged: true)
                let isSent = sent.contains(wanted)
                #expect(isSent, "leg \(number), packet \(sequence)")
            }
            #expect(sent.count == legs.count)
        }
        _ = node.loop.pointee.pass(now: 100)
        #expect(node.memory.pointee.freeCount + input.waitingFrames == node.frames, "frames are missing")
        withExtendedLifetime((receiver, protection)) {}
    }

    @Test func controlPacketsAreSRTCP() throws {
        let node = SyntheticNode()
        let input = node.open(port: 0, receives: true)
        let output = node.open(port: 1, receives: false)
        let (key, other) = (try Self.key(1), try Self.key(2, .aesCM128HMACSHA1_32))
        let receiver = try WorkerContext.receiving([key])
        let sender = try WorkerContext.sending(other, indices: SentIndices())
        node.flowContexts[0] = receiver.address
        Self.set([Leg()], of: node, contexts: [sender], fromIPv6: false)
        node.flowDetails[0].rtcp_target = node.flows[0].target
        var camera = try SRTPSender(key, indices: SentIndices())
        var again = try SRTPSender(other, indices: SentIndices())
        _ = node.loop.pointee.pass(now: 1)
        for number in 0..<3 {
            let report = [0x80, 200, 0, 6, 0, 0, 0, 0] + [UInt8](repeating: UInt8(number), count: 20)
            let packet = Self.packet(try Self.protect(&camera, report, isControl: true), isIPv6: false)
            let encrypted = try Self.protect(&again, report, isControl: true)
            #expect(encrypted.count == report.count + 10 + 4 + 1)
            try #require(input.receive(packet.bytes, note: Self.note(node, packet, isControl: true)))
            _ = node.loop.pointee.pass(now: 2)
            #expect(
                output.takeSent().map(\.bytes) == [
                    Self.expected(packet, Leg(), 0, payload: encrypted, isChanged: true)
                ])
        }
        withExtendedLifetime((receiver, sender)) {}
    }

    @Test func whatIsNotAuthenticIsCountedAndNotSent() throws {
        let node = SyntheticNode()
        let input = node.open(port: 0, receives: true)
        let output = node.open(port: 1, receives: false)
        let key = try Self.key(1)
        let receiver = try WorkerContext.receiving([key])
        node.flowContexts[0] = receiver.address
        Self.set(
            [Leg(isProtected: false), Leg(isProtected: false)], of: node, contexts: [nil, nil], fromIPv6: false)
        var camera = try SRTPSender(key, indices: SentIndices())
        let good = try Self.protect(&camera, Self.payload(100, sequence: 1))
        var changed = good
        changed[40] ^= 1
        var stranger = good
        stranger[good.count - 1] ^= 0xff
        _ = node.loop.pointee.pass(now: 1)
        for payload in [changed, good, good, stranger, Array(good.prefix(20))] {
            let packet = Self.packet(payload, isIPv6: false)
            try #require(input.receive(packet.bytes, note: Self.note(node, packet)))
            _ = node.loop.pointee.pass(now: 2)
        }
        #expect(output.takeSent().count == 2)
        func count(_ reason: crosspoint_reason) -> UInt64 {
            UnsafeRawPointer(node.reasons).load(fromByteOffset: 8 * Int(reason.rawValue), as: UInt64.self)
        }
        #expect(count(CROSSPOINT_COPY_SRTP_AUTHENTICATION) == 1)
        #expect(count(CROSSPOINT_COPY_SRTP_REPLAY) == 1)
        #expect(count(CROSSPOINT_COPY_SRTP_UNKNOWN_KEY) == 1)
        #expect(count(CROSSPOINT_COPY_SRTP_MALFORMED) == 1)
        _ = node.loop.pointee.pass(now: 100)
        #expect(node.memory.pointee.freeCount + input.waitingFrames == node.frames, "frames are missing")
        withExtendedLifetime(receiver) {}
    }

    @Test func nothingLeavesInClearOrTooLong() throws {
        let node = SyntheticNode()
        let input = node.open(port: 0, receives: true)
        let output = node.open(port: 1, receives: false, mtu: 1500)
        let sender = try WorkerContext.sending(try Self.key(1), indices: SentIndices())
        // The second leg has no key yet.
        Self.set([Leg(), Leg()], of: node, contexts: [sender, nil], fromIPv6: false)
        _ = node.loop.pointee.pass(now: 1)
        // With tag and MKI 17 bytes more, in frames of up to 1500 + 18 (one tag does not count).
        for (count, sent) in [(1447, 1), (1448, 0), (1460, 0)] {
            let packet = Self.packet(Self.payload(count, sequence: UInt16(count)), isIPv6: false)
            try #require(input.receive(packet.bytes, note: Self.note(node, packet)))
            _ = node.loop.pointee.pass(now: 2)
            #expect(output.takeSent().count == sent, "\(count)")
        }
        func count(_ reason: crosspoint_reason) -> UInt64 {
            UnsafeRawPointer(node.reasons + 1).load(fromByteOffset: 8 * Int(reason.rawValue), as: UInt64.self)
        }
        #expect(count(CROSSPOINT_COPY_SRTP_NO_KEY) == 3)
        #expect(count(CROSSPOINT_COPY_TOO_LONG) == 2)
        _ = node.loop.pointee.pass(now: 100)
        #expect(node.memory.pointee.freeCount + input.waitingFrames == node.frames, "frames are missing")
        withExtendedLifetime(sender) {}
    }

    @Test func whatIsForAnInterfaceThatIsDownIsCountedAsItWouldHaveLeft() throws {
        let node = SyntheticNode()
        let input = node.open(port: 0, receives: true)
        let sender = try WorkerContext.sending(try Self.key(1), indices: SentIndices())
        // Nobody has a socket at port 1. The third leg has no key, and so no copies whatever the interface does.
        Self.set([Leg(), Leg(isProtected: false), Leg()], of: node, contexts: [sender, nil, nil], fromIPv6: false)
        _ = node.loop.pointee.pass(now: 1)
        let packet = Self.packet(Self.payload(100, sequence: 1), isIPv6: false)
        try #require(input.receive(packet.bytes, note: Self.note(node, packet)))
        _ = node.loop.pointee.pass(now: 2)
        func count(_ reason: crosspoint_reason) -> UInt64 {
            UnsafeRawPointer(node.reasons + 1).load(fromByteOffset: 8 * Int(reason.rawValue), as: UInt64.self)
        }
        #expect(count(CROSSPOINT_COPY_INTERFACE_DOWN) == 2)
        #expect(count(CROSSPOINT_COPY_SRTP_NO_KEY) == 1)
        #expect(node.ports[1].transmitted_copies == 2 && node.ports[1].refused_copies == 2)
        // Tag and MKI.
        let lengths = [packet.bytes.count + 17, packet.bytes.count, 0].map { UInt64($0) }
        for counts in [node.legCounts, node.legRefusals] {
            #expect((0..<3).map { counts[$0].bytes } == lengths)
            #expect((0..<3).map { counts[$0].packets } == [1, 1, 0])
        }
        withExtendedLifetime(sender) {}
    }

    @Test func nothingIsSentAsItCameBeforeAFlowHasItsKey() throws {
        let node = SyntheticNode()
        let input = node.open(port: 0, receives: true)
        let output = node.open(port: 1, receives: false)
        node.flowDetails[0].rules = CROSSPOINT_RULE_ENCRYPTED.rawValue
        Self.set([Leg(isProtected: false)], of: node, contexts: [nil], fromIPv6: false)
        _ = node.loop.pointee.pass(now: 1)
        let key = try Self.key(3)
        var sender = try SRTPSender(key, indices: SentIndices())
        let receiver = try WorkerContext.receiving([key])
        for (sequence, hasKey) in [(1 as UInt16, false), (2, true)] {
            node.flowContexts[0] = hasKey ? receiver.address : nil
            let payload = Self.payload(100, sequence: sequence)
            let packet = Self.packet(try Self.protect(&sender, payload), isIPv6: false)
            try #require(input.receive(packet.bytes, note: Self.note(node, packet)))
            _ = node.loop.pointee.pass(now: 2)
            #expect(output.takeSent().count == (hasKey ? 1 : 0))
        }
        let refused = UnsafeRawPointer(node.reasons).load(
            fromByteOffset: 8 * Int(CROSSPOINT_COPY_SRTP_NO_KEY.rawValue), as: UInt64.self)
        #expect(refused == 1)
        _ = node.loop.pointee.pass(now: 100)
        #expect(node.memory.pointee.freeCount + input.waitingFrames == node.frames, "frames are missing")
        withExtendedLifetime(receiver) {}
    }
}
