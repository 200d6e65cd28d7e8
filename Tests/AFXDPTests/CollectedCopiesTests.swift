// Copies that are collected, encrypted one after the other and written into the rings then: none is lost, doubled or overtaken.

import CrosspointShim
import EngineSupport
import SRTP
import SRTPKeys
import TestSupport
import Testing

@testable import AFXDP
@testable import FastPath

@Suite("Copies collected for encryption")
struct CollectedCopiesTests {
    private typealias Leg = ProtectionTests.Leg

    private let node = SyntheticNode()
    private let input: SyntheticSocket
    private let output: SyntheticSocket

    init() {
        input = node.open(port: 0, receives: true, mtu: 9100)
        output = node.open(port: 1, receives: false, mtu: 9100)
    }

    private func receive(_ payload: [UInt8]) throws {
        let packet = ProtectionTests.packet(payload, isIPv6: false)
        try #require(input.receive(packet.bytes, note: ProtectionTests.note(node, packet)))
    }

    private func expectEveryFrameBack() {
        _ = node.loop.pointee.pass(now: 100)
        #expect(node.memory.pointee.freeCount + input.waitingFrames == node.frames, "frames are missing")
    }

    private func refusals(_ reason: crosspoint_reason) -> UInt64 {
        UnsafeRawPointer(node.reasons + 1).load(fromByteOffset: 8 * Int(reason.rawValue), as: UInt64.self)
    }

    @Test func aBatchLeavesInItsOrder() throws {
        let legs = [Leg(), Leg(isProtected: false), Leg()]
        let keys = try [1, 2, 3].map { try ProtectionTests.key($0) }
        let contexts = try keys.enumerated().map { number, key -> WorkerContext? in
            legs[number].isProtected ? try .sending(key, indices: SentIndices()) : nil
        }
        ProtectionTests.set(legs, of: node, contexts: contexts, fromIPv6: false)
        _ = node.loop.pointee.pass(now: 1)
        // Some more than are collected at once, for both keys together.
        let payloads = (0..<UInt16(ForwardingLoop.protectedLimit + 7)).map {
            ProtectionTests.payload(200, sequence: $0)
        }
        for payload in payloads { try receive(payload) }
        #expect(node.loop.pointee.pass(now: 2) == payloads.count)
        let sent = output.takeSent().map(\.bytes)
        #expect(sent.count == payloads.count * legs.count)
        for (number, leg) in legs.enumerated() {
            var sender = try SRTPSender(keys[number], indices: SentIndices())
            let frames = try payloads.map { payload in
                ProtectionTests.expected(
                    ProtectionTests.packet(payload, isIPv6: false), leg, number,
                    payload: leg.isProtected ? try ProtectionTests.protect(&sender, payload) : payload,
                    isChanged: leg.isProtected)
            }
            #expect(sent.filter(Set(frames).contains) == frames, "leg \(number)")
        }
        expectEveryFrameBack()
        withExtendedLifetime(contexts) {}
    }

    @Test func whatCannotBeEncryptedLeavesNoHole() throws {
        let context = try WorkerContext.sending(try ProtectionTests.key(1), indices: SentIndices())
        ProtectionTests.set([Leg()], of: node, contexts: [context], fromIPv6: false)
        var sender = try SRTPSender(try ProtectionTests.key(1), indices: SentIndices())
        _ = node.loop.pointee.pass(now: 1)
        var wanted: [[UInt8]] = []
        for sequence in 0..<10 as Range<UInt16> {
            let payload = ProtectionTests.payload(100, sequence: sequence)
            guard sequence % 4 != 3 else {
                // Shorter than an RTP header.
                try receive(Array(payload.prefix(8)))
                continue
            }
            try receive(payload)
            let packet = ProtectionTests.packet(payload, isIPv6: false)
            wanted.append(
                ProtectionTests.expected(
                    packet, Leg(), 0, payload: try ProtectionTests.protect(&sender, payload), isChanged: true))
        }
        #expect(node.loop.pointee.pass(now: 2) == 10)
        #expect(output.takeSent().map(\.bytes) == wanted)
        #expect(refusals(CROSSPOINT_COPY_SRTP_MALFORMED) == 2)
        #expect(node.legCounts[0].packets == 8)
        expectEveryFrameBack()
        withExtendedLifetime(context) {}
    }

    @Test func packetsOfSeveralBuffersDoNotOvertake() throws {
        let context = try WorkerContext.sending(try ProtectionTests.key(1), indices: SentIndices())
        ProtectionTests.set([Leg()], of: node, contexts: [context], fromIPv6: false)
        _ = node.loop.pointee.pass(now: 1)
        let counts = [100, 8000, 200, 300, 8001, 400]
        for (sequence, count) in counts.enumerated() {
            try receive(ProtectionTests.payload(count, sequence: UInt16(sequence)))
        }
        #expect(node.loop.pointee.pass(now: 2) == counts.count)
        // The sequence number is behind Ethernet, IPv4 and UDP.
        #expect(output.takeSent().map { $0.bytes[45] } == [0, 1, 2, 3, 4, 5])
        expectEveryFrameBack()
        withExtendedLifetime(context) {}
    }

    @Test func aFullRingTakesWhatItCan() throws {
        let legs = [Leg](repeating: Leg(), count: 33)
        let contexts = try legs.indices.map { number in
            try WorkerContext.sending(try ProtectionTests.key(UInt8(number)), indices: SentIndices())
        }
        ProtectionTests.set(legs, of: node, contexts: contexts, fromIPv6: false)
        _ = node.loop.pointee.pass(now: 1)
        for sequence in 0..<63 as Range<UInt16> {
            try receive(ProtectionTests.payload(100, sequence: sequence))
        }
        #expect(node.loop.pointee.pass(now: 2) == 63)
        let room = Int(SyntheticSocket.size)
        #expect(output.takeSent().count == room)
        #expect(refusals(CROSSPOINT_COPY_REFUSED) == UInt64(63 * legs.count - room))
        #expect((0..<legs.count).map { node.legCounts[$0].packets }.reduce(0, +) == UInt64(room))
        expectEveryFrameBack()
        withExtendedLifetime(contexts) {}
    }
}
