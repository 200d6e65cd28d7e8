// Case M-19: rollover counter over sequence wraps, late joiners, replay, authentication failures, new keys, SRTCP.

import SRTP
import SRTPKeys
import Testing

@Suite("M-19: SRTP streams") struct StreamTests {
    @Test(arguments: SRTPProfile.allCases)
    func packetsComeBackOverSequenceWraps(profile: SRTPProfile) throws {
        let key = try SRTPKey.test(profile)
        var sender = try SRTPSender(key, indices: SentIndices())
        var receiver = try SRTPReceiver([key])
        for number in 60_000..<60_000 + 140_000
        where number % 37 == 0 || number % 65_536 < 3 || number % 65_536 > 65_532 {
            let packet = TestPacket.rtp(sequence: UInt16(truncatingIfNeeded: number), payload: 40)
            let protected = try sender.protected(packet)
            #expect(protected.count == packet.count + sender.overhead)
            #expect(Array(protected[12..<52]) != Array(packet[12..<52]))
            try #require(try receiver.unprotected(protected) == packet)
        }
    }

    @Test(arguments: SRTPProfile.allCases, [0, 1, 4] as [Int])
    func controlPacketsComeBack(profile: SRTPProfile, identifier: Int) throws {
        let key = try SRTPKey.test(profile, identifier: (0..<identifier).map { UInt8(9 + $0) })
        var sender = try SRTPSender(key, indices: SentIndices())
        var receiver = try SRTPReceiver([key])
        for number in 1...3 as ClosedRange<UInt32> {
            let packet = TestPacket.report(packets: number)
            let protected = try sender.protected(packet, isControl: true)
            #expect(protected.count == packet.count + sender.controlOverhead)
            #expect(Array(protected[8..<packet.count]) != Array(packet[8...]))
            #expect(try receiver.unprotected(protected, isControl: true) == packet)
            #expect(throws: SRTPError.self) { try receiver.unprotected(protected, isControl: true) }
        }
    }

    @Test func lateJoinerNeedsTheRolloverCounter() throws {
        let key = try SRTPKey.test(.aesCM128HMACSHA1_80)
        var sender = try SRTPSender(key.starting(ssrc: nil, rolloverCounter: 2), indices: SentIndices())
        let first = try sender.protected(TestPacket.rtp(sequence: 65_534))
        let second = try sender.protected(TestPacket.rtp(sequence: 65_535))
        let third = try sender.protected(TestPacket.rtp(sequence: 0))
        var ignorant = try SRTPReceiver([key])
        #expect(throws: SRTPError.authenticationFailure) { try ignorant.unprotected(first) }
        var early = try SRTPReceiver([key.starting(ssrc: 0, rolloverCounter: 2)])
        #expect(try early.unprotected(first) == TestPacket.rtp(sequence: 65_534))
        #expect(try early.unprotected(third) == TestPacket.rtp(sequence: 0))
        #expect(try early.unprotected(second) == TestPacket.rtp(sequence: 65_535))
        var late = try SRTPReceiver([key.starting(ssrc: nil, rolloverCounter: 3)])
        #expect(try late.unprotected(third) == TestPacket.rtp(sequence: 0))
        var other = try SRTPReceiver([key.starting(ssrc: 1, rolloverCounter: 3)])
        #expect(throws: SRTPError.authenticationFailure) { try other.unprotected(third) }
    }

    @Test func replayedAndOldPacketsAreRefused() throws {
        let key = try SRTPKey.test(.aeadAES128GCM)
        var sender = try SRTPSender(key, indices: SentIndices())
        var receiver = try SRTPReceiver([key])
        let packets = try (0..<2000).map { try sender.protected(TestPacket.rtp(sequence: $0, payload: 20)) }
        #expect(try receiver.unprotected(packets[1]) == TestPacket.rtp(sequence: 1, payload: 20))
        #expect(try receiver.unprotected(packets[0]) == TestPacket.rtp(sequence: 0, payload: 20))
        #expect(throws: SRTPError.replay) { try receiver.unprotected(packets[1]) }
        #expect(try receiver.unprotected(packets[1999]) == TestPacket.rtp(sequence: 1999, payload: 20))
        #expect(try receiver.unprotected(packets[1000]) == TestPacket.rtp(sequence: 1000, payload: 20))
        #expect(throws: SRTPError.replayTooOld) { try receiver.unprotected(packets[2]) }
    }

    @Test(arguments: SRTPProfile.allCases)
    func changedPacketsAndWrongKeysAreRefused(profile: SRTPProfile) throws {
        let key = try SRTPKey.test(profile)
        var sender = try SRTPSender(key, indices: SentIndices())
        var receiver = try SRTPReceiver([key])
        var stranger = try SRTPReceiver([try SRTPKey.test(profile, first: 2)])
        let protected = try sender.protected(TestPacket.rtp(sequence: 5))
        for place in [1, 4, 11, 12, 90, protected.count - 1] {
            var changed = protected
            changed[place] ^= 1
            #expect(throws: SRTPError.authenticationFailure, "byte \(place)") { try receiver.unprotected(changed) }
        }
        #expect(throws: SRTPError.authenticationFailure) { try stranger.unprotected(protected) }
        #expect(throws: SRTPError.malformed) { try receiver.unprotected(Array(protected.prefix(14))) }
        #expect(throws: SRTPError.malformed) { try sender.protected([0x80, 96, 0, 1]) }
        // None of them has left anything behind.
        #expect(try receiver.unprotected(protected) == TestPacket.rtp(sequence: 5))
    }

    @Test(arguments: SRTPProfile.allCases)
    func keysAreToldApartByTheirIdentifiers(profile: SRTPProfile) throws {
        let keys = try [
            SRTPKey.test(profile, first: 1, identifier: [0, 1]), SRTPKey.test(profile, first: 2, identifier: [0, 2]),
        ]
        var receiver = try SRTPReceiver(keys)
        var first = try SRTPSender(keys[0], indices: SentIndices())
        var second = try SRTPSender(keys[1], indices: SentIndices())
        for sequence in 0..<4 as Range<UInt16> {
            let packet = TestPacket.rtp(sequence: sequence, ssrc: 5)
            #expect(try receiver.unprotected(try first.protected(packet)) == packet)
            #expect(try receiver.unprotected(try second.protected(packet)) == packet)
        }
        var third = try SRTPSender(SRTPKey.test(profile, first: 1, identifier: [0, 3]), indices: SentIndices())
        let unknown = try third.protected(TestPacket.rtp(sequence: 9))
        #expect(throws: SRTPError.unknownKey) { try receiver.unprotected(unknown) }
    }

    @Test func severalSourcesHaveTheirOwnCounters() throws {
        let key = try SRTPKey.test(.aesCM128HMACSHA1_32)
        var sender = try SRTPSender(key, indices: SentIndices())
        var receiver = try SRTPReceiver([key])
        for number in 65_500..<65_600 {
            for ssrc in [0, 1, 0xffff_ffff] as [UInt32] {
                let sequence = UInt16(truncatingIfNeeded: number &+ Int(ssrc & 0xff) * 20)
                let packet = TestPacket.rtp(sequence: sequence, ssrc: ssrc)
                try #require(try receiver.unprotected(try sender.protected(packet)) == packet)
            }
        }
    }

    @Test func sourcesOfAKeyAreLimited() throws {
        let key = try SRTPKey.test(.aeadAES128GCM)
        var sender = try SRTPSender(key, indices: SentIndices())
        for ssrc in 0..<UInt32(SentIndices.capacity) {
            _ = try sender.protected(TestPacket.rtp(sequence: 1, ssrc: ssrc))
        }
        #expect(throws: SRTPError.tooManySources) { try sender.protected(TestPacket.rtp(sequence: 1, ssrc: 99_999)) }
        _ = try sender.protected(TestPacket.rtp(sequence: 2, ssrc: 0))
    }

    @Test func keyEndsWithItsLifetime() throws {
        let key = try SRTPKey.test(.aesCM256HMACSHA1_80, lifetime: 3)
        var sender = try SRTPSender(key, indices: SentIndices())
        var receiver = try SRTPReceiver([key])
        for sequence in 0..<3 as Range<UInt16> {
            _ = try receiver.unprotected(try sender.protected(TestPacket.rtp(sequence: sequence)))
        }
        #expect(throws: SRTPError.keyLimit) { try sender.protected(TestPacket.rtp(sequence: 3)) }
        var longer = try SRTPSender(SRTPKey.test(.aesCM256HMACSHA1_80), indices: SentIndices())
        let fourth = try longer.protected(TestPacket.rtp(sequence: 3))
        #expect(throws: SRTPError.keyLimit) { try receiver.unprotected(fourth) }
    }
}
