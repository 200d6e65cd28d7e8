// The test vectors of RFC 3711 and RFC 7714, and packets of the library beside those of the reference that passes them.

import SRTPKeys
import Testing

@testable import SRTP

@Suite struct VectorTests {
    @Test func rfc3711AppendixB2() {
        let stream = ReferenceCipher.keystream(
            hex("2B7E151628AED2A6ABF7158809CF4F3C"), iv: hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"), count: 48)
        #expect(
            stream
                == hex(
                    """
                    E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0
                    """))
    }

    private func keyOfAppendixB3() throws -> SRTPKey {
        try SRTPKey(
            .aesCM128HMACSHA1_80, masterKey: hex("E1F97A0D3E018BE0D64FA32C06DE4139"),
            masterSalt: hex("0EC675AD498AFEEBB6960B3AABE6"))
    }

    @Test func rfc3711AppendixB3() throws {
        let key = try keyOfAppendixB3()
        #expect(ReferenceCipher.derive(0, key, count: 16) == hex("C61E7A93744F39EE10734AFE3FF7A087"))
        #expect(ReferenceCipher.derive(2, key, count: 14) == hex("30CBBC08863D8C85D49DB34A9AE1"))
        #expect(ReferenceCipher.derive(1, key, count: 20) == hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"))
    }

    /// FIPS 197 appendix C.3.
    @Test func referenceHasAES256() {
        let key = (0..<32).map { UInt8($0) }
        #expect(
            ReferenceCipher.block(hex("00112233445566778899aabbccddeeff"), key: key)
                == hex("8ea2b7ca516745bfeafc49904b496089"))
    }

    private let plain = hex(
        """
        8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573
        """)
    private let salt = hex("517569642070726f2071756f")

    @Test func rfc7714Section16() throws {
        let key = (0..<32).map { UInt8($0) }
        #expect(
            try ReferenceCipher.protectGCM(
                plain, sessionKey: Array(key.prefix(16)), sessionSalt: salt, rolloverCounter: 0)
                == hex(
                    """
                    8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a
                    51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce
                    """))
        #expect(
            try ReferenceCipher.protectGCM(plain, sessionKey: key, sessionSalt: salt, rolloverCounter: 0)
                == hex(
                    """
                    8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02
                    76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13
                    """))
    }

    @Test func rfc7714Section17() throws {
        let packet = hex(
            """
            81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef
            deadbeef
            """)
        let key = (0..<32).map { UInt8($0) }
        #expect(
            try ReferenceCipher.protectControlGCM(
                packet, sessionKey: Array(key.prefix(16)), sessionSalt: salt, index: 0x5d4)
                == hex(
                    """
                    81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda
                    4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4
                    """))
        #expect(
            try ReferenceCipher.protectControlGCM(packet, sessionKey: key, sessionSalt: salt, index: 0x5d4)
                == hex(
                    """
                    81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be
                    8415f658 c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4
                    """))
    }

    /// The session keys of appendix B.3 and the packets of section 16, by way of master keys: whatever the library derives and does
    /// in between, the packets are those of the reference.
    @Test(arguments: SRTPProfile.allCases, [0, 1, 0x1_0000] as [UInt32])
    func libraryAgreesWithReference(profile: SRTPProfile, counter: UInt32) throws {
        let key = try profile == .aesCM128HMACSHA1_80 ? keyOfAppendixB3() : SRTPKey.test(profile)
        var sender = try SRTPSender(
            key.starting(ssrc: nil, rolloverCounter: counter), indices: SentIndices())
        for packet in [plain, TestPacket.rtp(sequence: 0xf17c, ssrc: 0x5501_a0b2), TestPacket.rtp(sequence: 3)] {
            let expected =
                profile.isAEAD
                ? try ReferenceCipher.protectGCM(
                    packet, sessionKey: ReferenceCipher.derive(0, key, count: profile.masterKeyLength),
                    sessionSalt: ReferenceCipher.derive(2, key, count: 12), rolloverCounter: counter)
                : ReferenceCipher.protectCM(packet, key, rolloverCounter: counter)
            #expect(try sender.protected(packet) == expected)
        }
    }

    @Test(arguments: [SRTPProfile.aeadAES128GCM, .aeadAES256GCM])
    func libraryAgreesWithReferenceOnControlPackets(profile: SRTPProfile) throws {
        let key = try SRTPKey.test(profile)
        var sender = try SRTPSender(key, indices: SentIndices())
        let packet = TestPacket.report(ssrc: 0x4d61_7273)
        for index in 1...3 as ClosedRange<UInt32> {
            let expected = try ReferenceCipher.protectControlGCM(
                packet, sessionKey: ReferenceCipher.derive(3, key, count: profile.masterKeyLength),
                sessionSalt: ReferenceCipher.derive(5, key, count: 12), index: index)
            #expect(try sender.protected(packet, isControl: true) == expected)
        }
    }
}
