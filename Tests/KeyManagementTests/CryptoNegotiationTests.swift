// One attribute for both sides.

import SRTPKeys
import Testing

@testable import KeyManagement

@Suite("SDES: offer and answer")
struct CryptoNegotiationTests {
    static func line(_ tag: UInt32, _ suite: SRTPProfile, from first: UInt8 = 1) -> String {
        CryptoAttribute(tag: tag, key: Bytes.key(suite, from: first)).value
    }

    @Test("The peer's first usable attribute is taken, and answered with its tag and a key of this node's own")
    func choice() throws {
        let offer = [
            "4 F8_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm", "rubbish",
            Self.line(5, .aesCM128HMACSHA1_32) + " UNENCRYPTED_SRTP", Self.line(9, .aeadAES128GCM),
            Self.line(2, .aeadAES256GCM),
        ]
        let chosen = try CryptoNegotiation.choose(from: offer, suites: SRTPProfile.allCases)
        #expect(chosen.tag == 9 && chosen.suite == .aeadAES128GCM && chosen.peerKeys == [Bytes.key(.aeadAES128GCM)])
        let answer = CryptoNegotiation.answer(to: chosen, key: Bytes.key(.aeadAES128GCM, from: 70))
        #expect(answer.value == Self.line(9, .aeadAES128GCM, from: 70))
        // A suite that is not allowed is never used.
        let limited = try CryptoNegotiation.choose(from: offer, suites: [.aeadAES256GCM])
        #expect(limited.tag == 2 && limited.suite == .aeadAES256GCM)
    }

    @Test("D-13: the names that drafts had for suites of 256 bits are understood, and answered as they were written")
    func draftNames() throws {
        let line = Self.line(3, .aesCM256HMACSHA1_80).replacing("AES_256_CM", with: "AES_CM_256")
        let chosen = try CryptoNegotiation.choose(from: [line], suites: SRTPProfile.allCases)
        #expect(chosen.suite == .aesCM256HMACSHA1_80)
        let answer = CryptoNegotiation.answer(to: chosen, key: Bytes.key(.aesCM256HMACSHA1_80, from: 70))
        #expect(answer.value.hasPrefix("3 AES_CM_256_HMAC_SHA1_80 inline:"))
        #expect(answer.suite == .aesCM256HMACSHA1_80)
    }

    @Test("What is wrong with the first attribute is said where none is usable")
    func none() {
        func choose(_ values: [String], _ suites: [SRTPProfile] = SRTPProfile.allCases) -> KeyManagementError.Reason? {
            reason { _ = try CryptoNegotiation.choose(from: values, suites: suites) }
        }
        #expect(choose([]) == .missing)
        #expect(choose([Self.line(1, .aeadAES128GCM)], []) == .unsupported)
        #expect(choose([Self.line(1, .aeadAES128GCM) + " UNENCRYPTED_SRTCP", "rubbish"]) == .insecure)
        #expect(choose(["rubbish", Self.line(1, .aeadAES128GCM) + " KDR=2"]) == .malformed)
        // A tag that stands twice names neither.
        let twice = [Self.line(1, .aesCM128HMACSHA1_80) + " KDR=3", Self.line(1, .aesCM128HMACSHA1_32)]
        #expect(choose(twice) == .unsupported)
    }

    @Test("An offer has one attribute for each suite, each with its own tag and key")
    func offer() throws {
        var next: UInt8 = 0
        let offer = CryptoNegotiation.offer(suites: SRTPProfile.preferred) { suite in
            next += 1
            return Bytes.key(suite, from: next)
        }
        #expect(offer.map(\.tag) == [1, 2, 3, 4, 5, 6])
        #expect(Set(offer.compactMap(\.suite)) == Set(SRTPProfile.allCases))
        #expect(Set(offer.map { $0.keys[0] }).count == 6)
    }

    @Test("An answer is taken only if it chooses what was offered, with another key")
    func answer() throws {
        let offer = CryptoNegotiation.offer(suites: [.aeadAES256GCM, .aesCM128HMACSHA1_80]) { Bytes.key($0) }
        let right = try CryptoNegotiation.accept(answer: [Self.line(2, .aesCM128HMACSHA1_80, from: 80)], to: offer)
        #expect(right.offered.tag == 2 && right.agreement.suite == .aesCM128HMACSHA1_80)
        #expect(right.agreement.peerKeys == [Bytes.key(.aesCM128HMACSHA1_80, from: 80)])
        func accept(_ values: [String]) -> KeyManagementError.Reason? {
            reason { _ = try CryptoNegotiation.accept(answer: values, to: offer) }
        }
        #expect(accept([]) == .missing)
        #expect(
            accept([Self.line(1, .aeadAES256GCM, from: 80), Self.line(2, .aesCM128HMACSHA1_80, from: 80)])
                == .malformed)
        #expect(accept([Self.line(3, .aesCM128HMACSHA1_80, from: 80)]) == .notOffered)
        #expect(accept([Self.line(1, .aesCM128HMACSHA1_80, from: 80)]) == .notOffered)
        #expect(accept([Self.line(2, .aesCM128HMACSHA1_32, from: 80)]) == .notOffered)
        #expect(accept([Self.line(2, .aesCM128HMACSHA1_80, from: 80) + " UNENCRYPTED_SRTP"]) == .insecure)
        #expect(accept([Self.line(2, .aesCM128HMACSHA1_80, from: 80) + " KDR=1"]) == .unsupported)
        #expect(accept([Self.line(2, .aesCM128HMACSHA1_80)]) == .insecure)
        #expect(accept(["rubbish"]) == .malformed)
    }
}
