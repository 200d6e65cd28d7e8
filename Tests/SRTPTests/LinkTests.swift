// Links: every start of every flow has keys of its own, and a receiver finds them out by itself.

import SRTPKeys
import Testing

@testable import SRTP

@Suite struct LinkTests {
    private let link: LinkKey
    /// Counts up: epochs of one test that were begun one after the other.
    private static func epochs(_ random: UInt64 = 1) -> () -> LinkEpoch {
        var time: UInt64 = 1000
        return {
            time += 1
            return LinkEpoch(time: time, random: random)
        }
    }

    init() throws { link = try LinkKey(secret: (0..<32).map { UInt8($0) }) }

    /// What a packet was encrypted with, where the same plain payload would be repeated.
    private func keystream(_ packet: [UInt8], _ plain: [UInt8]) -> [UInt8] {
        ReferenceCipher.exclusiveOr(Array(packet[12..<plain.count]), Array(plain[12...]))
    }

    @Test(arguments: [SRTPProfile.aeadAES128GCM, .aeadAES256GCM])
    func receiverLearnsEpochAndRolloverCounterFromPackets(profile: SRTPProfile) throws {
        let derivation = LinkDerivation(try LinkKey(profile, secret: link.secret), flow: "cam1")
        var sender = try SRTPSender(derivation)
        var receiver = SRTPReceiver(derivation)
        var late: [UInt8] = []
        for number in 65_000..<65_000 + 140_000
        where number % 97 == 0 || number % 65_536 < 3 || number % 65_536 > 65_532 {
            let packet = TestPacket.rtp(sequence: UInt16(truncatingIfNeeded: number), payload: 30)
            late = try sender.protected(packet)
            #expect(late.count == packet.count + 16 + LinkDerivation.identifierLength)
            try #require(try receiver.unprotected(late) == packet)
        }
        // Who joins now, two wraps later, needs no more than the next packet.
        var joiner = SRTPReceiver(derivation)
        #expect(Array(try joiner.unprotected(late).prefix(2)) == [0x80, 96])
        let report = TestPacket.report()
        #expect(try receiver.unprotected(try sender.protected(report, isControl: true), isControl: true) == report)
        var other = SRTPReceiver(derivation)
        let second = try sender.protected(report, isControl: true)
        #expect(try other.unprotected(second, isControl: true) == report)
        let next = TestPacket.rtp(sequence: UInt16(truncatingIfNeeded: 65_000 + 140_000))
        #expect(try other.unprotected(try sender.protected(next)) == next)
    }

    /// SSRC 0 and the same sequence numbers, whatever begins anew: no two packets with one keystream.
    @Test func noKeystreamIsUsedTwice() throws {
        var seen: Set<[UInt8]> = []
        var count = 0
        func send(_ sender: inout SRTPSender, _ sequences: [UInt16]) throws {
            for sequence in sequences {
                let plain = TestPacket.rtp(sequence: sequence, ssrc: 0, payload: 64, fill: 0)
                guard let packet = try? sender.protected(plain) else { continue }
                count += 1
                seen.insert(keystream(packet, plain))
            }
        }
        let numbers: [UInt16] = [65_534, 65_535, 0, 1, 2]
        // The process, the port or the machine began anew, again and again; two legs of one flow; both directions; another link.
        for _ in 0..<8 {
            var sender = try SRTPSender(LinkDerivation(link, flow: "cam1"))
            try send(&sender, numbers)
        }
        for flow in ["cam1", "cam2", "cam1.back"] {
            var sender = try SRTPSender(LinkDerivation(link, flow: flow), makeEpoch: Self.epochs())
            try send(&sender, numbers)
        }
        var other = try SRTPSender(
            LinkDerivation(try LinkKey(secret: (1..<33).map { UInt8($0) }), flow: "cam1"), makeEpoch: Self.epochs())
        try send(&other, numbers)
        // The source began anew with numbers that were there before, over and over.
        var sender = try SRTPSender(LinkDerivation(link, flow: "cam1"))
        let before = count
        for _ in 0..<5 { try send(&sender, Array(10_000..<10_030) + Array(20_000..<20_030)) }
        #expect(count - before > 250)
        #expect(seen.count == count)
    }

    @Test func sourceThatBeginsAnewIsHeardAgain() throws {
        let derivation = LinkDerivation(link, flow: "cam1")
        var sender = try SRTPSender(derivation, makeEpoch: Self.epochs())
        var receiver = SRTPReceiver(derivation)
        let first = try sender.protected(TestPacket.rtp(sequence: 30_000))
        #expect(try receiver.unprotected(first) == TestPacket.rtp(sequence: 30_000))
        var lost = 0
        for sequence in 100..<200 as Range<UInt16> {
            let packet = TestPacket.rtp(sequence: sequence)
            guard let protected = try? sender.protected(packet) else {
                lost += 1
                continue
            }
            #expect(try receiver.unprotected(protected) == packet)
        }
        // One late packet is no new beginning.
        #expect((1..<10).contains(lost))
    }

    @Test func earlierEpochsAreNotTakenAgain() throws {
        let derivation = LinkDerivation(link, flow: "cam1")
        let makeEpoch = Self.epochs()
        var receiver = SRTPReceiver(derivation)
        var recorded: [[UInt8]] = []
        for _ in 0..<4 {
            var sender = try SRTPSender(derivation, makeEpoch: makeEpoch)
            let packet = try sender.protected(TestPacket.rtp(sequence: 7))
            recorded.append(try sender.protected(TestPacket.rtp(sequence: 8)))
            #expect(try receiver.unprotected(packet) == TestPacket.rtp(sequence: 7))
            #expect(throws: SRTPError.replay) { try receiver.unprotected(packet) }
        }
        // Of the newest and the one before, packets may be under way.
        #expect(try receiver.unprotected(recorded[3]) == TestPacket.rtp(sequence: 8))
        #expect(try receiver.unprotected(recorded[2]) == TestPacket.rtp(sequence: 8))
        for old in recorded.prefix(2) { #expect(throws: SRTPError.replayTooOld) { try receiver.unprotected(old) } }
    }

    @Test func flowsLinksAndEpochsHaveKeysOfTheirOwn() throws {
        let epoch = LinkEpoch(time: 5, random: 6)
        var keys: Set<[UInt8]> = []
        var count = 0
        for secret in [link.secret, link.secret.reversed()] {
            for flow in ["a", "b", "ab", ""] {
                for epoch in [epoch, LinkEpoch(time: 5, random: 7), LinkEpoch(time: 6, random: 6)] {
                    let key = try LinkDerivation(try LinkKey(secret: secret), flow: flow).key(epoch)
                    keys.insert(key.masterKey + key.masterSalt)
                    count += 1
                }
            }
        }
        #expect(keys.count == count)
        var sender = try SRTPSender(LinkDerivation(link, flow: "a"))
        var receiver = SRTPReceiver(LinkDerivation(link, flow: "b"))
        let packet = try sender.protected(TestPacket.rtp(sequence: 1))
        #expect(throws: SRTPError.authenticationFailure) { try receiver.unprotected(packet) }
    }

    @Test func attemptsAtUnknownEpochsAreLimitedAndChangeNothing() throws {
        let derivation = LinkDerivation(link, flow: "cam1")
        var sender = try SRTPSender(derivation, makeEpoch: Self.epochs())
        var receiver = SRTPReceiver(derivation)
        #expect(
            try receiver.unprotected(try sender.protected(TestPacket.rtp(sequence: 1)))
                == TestPacket.rtp(sequence: 1))
        var failures: [SRTPError: Int] = [:]
        for number in 0..<1000 {
            var forged = TestPacket.rtp(sequence: 9)
            forged += LinkEpoch(time: 0xff_ffff_0000, random: UInt64(number)).bytes + [0, UInt8(number & 1)]
            do { _ = try receiver.unprotected(forged) } catch let error as SRTPError {
                failures[error, default: 0] += 1
            }
        }
        #expect(failures[.unknownKey, default: 0] > 900)
        #expect(failures[.authenticationFailure, default: 0] + failures[.unknownKey, default: 0] == 1000)
        #expect(
            try receiver.unprotected(try sender.protected(TestPacket.rtp(sequence: 2)))
                == TestPacket.rtp(sequence: 2))
        // After a moment, there are attempts again.
        var second = try SRTPSender(derivation) { LinkEpoch(time: 2000, random: 1) }
        let fresh = try second.protected(TestPacket.rtp(sequence: 3))
        #expect(throws: SRTPError.unknownKey) { try receiver.unprotected(fresh) }
        #expect(try receiver.unprotected(fresh, now: 1_000_000_000) == TestPacket.rtp(sequence: 3))
    }

    @Test func senderBeginsAnewWhenItsRolloverCounterIsFull() throws {
        let derivation = LinkDerivation(link, flow: "cam1")
        var epochs = 0
        var sender = try SRTPSender(derivation) {
            epochs += 1
            return LinkEpoch(time: UInt64(epochs), random: 0)
        }
        var receiver = SRTPReceiver(derivation)
        // Steps that are as long as sequence numbers allow: 65,536 wraps without 2^32 packets.
        var number = 0
        while epochs == 1, number < 3 * 70_000 {
            let packet = TestPacket.rtp(sequence: UInt16(truncatingIfNeeded: number * 30_000), payload: 4)
            try #require(try receiver.unprotected(try sender.protected(packet)) == packet)
            number += 1
        }
        #expect(epochs == 2)
        for offset in 0..<3 {
            let packet = TestPacket.rtp(sequence: UInt16(truncatingIfNeeded: (number + offset) * 30_000), payload: 4)
            #expect(try receiver.unprotected(try sender.protected(packet)) == packet)
        }
    }

    @Test func epochsAreInOrder() {
        let epoch = LinkEpoch(time: 0x12_3456_789a, random: 0xbc_def0_1234)
        #expect(epoch.bytes == hex("123456789abcdef01234"))
        #expect(LinkEpoch(identifier: MasterKeyIdentifier.number(epoch.bytes + [7, 7])) == epoch)
        #expect(LinkEpoch(time: 1, random: 9) < LinkEpoch(time: 2, random: 0))
        #expect(LinkEpoch.now() != LinkEpoch.now())
    }
}
