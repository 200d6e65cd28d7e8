// Keys: lengths, their text, and that no secret shows.

import SRTPKeys
import Testing

@Suite struct SRTPKeyTests {
    /// RFC 4568 section 9.1 has the first one; the others are made of bytes in order.
    @Test(arguments: [
        (
            "AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:32",
            SRTPKeyError.identifierLength(32)
        ),
        ("AES_CM_128_HMAC_SHA1_80 inline:AAEC", .textLength(.aesCM128HMACSHA1_80, 3)),
        ("AEAD_AES_128_GCM inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj", .textLength(.aeadAES128GCM, 30)),
        ("AES_CM_192 inline:AAEC", .unknownProfile), ("", .unknownProfile),
        ("AES_CM_128_HMAC_SHA1_80 AAEC", .syntax("'inline:'")),
        ("AES_CM_128_HMAC_SHA1_80 inline:@@@@", .syntax("base64 behind 'inline:'")),
        (
            "AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|256:1",
            .syntax("MKI that fits its length")
        ),
        (
            "AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^49",
            .syntax("lifetime of at most 2^48")
        ),
        ("LINK AEAD_AES_128_GCM inline:AAEC", .linkLength(3)),
        (
            "LINK AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            .linkProfile(.aesCM128HMACSHA1_80)
        ),
    ])
    func badTextIsRefused(text: String, problem: SRTPKeyError) {
        #expect(throws: problem) { try KeyMaterial(text: text) }
    }

    @Test func textOfSecurityDescriptionsIsRead() throws {
        let text = "AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4 ROC=2 SSRC=0x1234"
        let key = try SRTPKeyText.key(text)
        #expect(key.profile == .aesCM128HMACSHA1_80)
        #expect(key.masterKey == Array("wDfvg&T+)xG7@fb5".utf8))
        #expect(key.masterSalt == Array("jU,RaA}\\|p0%*#".utf8))
        #expect(key.lifetime == 1 << 20)
        #expect(key.identifier == [0, 0, 0, 1])
        #expect(key.rolloverCounter == 2)
        #expect(key.ssrc == 0x1234)
    }

    @Test(arguments: SRTPProfile.allCases)
    func everyProfileRoundTrips(profile: SRTPProfile) throws {
        let key = try SRTPKey(
            profile, masterKey: (0..<profile.masterKeyLength).map { UInt8($0) },
            masterSalt: (0..<profile.masterSaltLength).map { UInt8(200 + $0) }, identifier: Array(0...15), ssrc: 0,
            rolloverCounter: 7, lifetime: 99)
        #expect(try KeyMaterial(text: "  " + SRTPKeyText.secretText(key) + "\n") == .srtp([key]))
    }

    @Test func severalKeysAreToldApart() throws {
        let first = "AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|1:1"
        let material = try KeyMaterial(text: "# of the studio\n\n\(first)\n\(first.replacing("|1:1", with: "|2:1"))\n")
        guard case .srtp(let keys) = material else { throw SRTPKeyError.indistinct }
        #expect(keys.map(\.identifier) == [[1], [2]])
        #expect(try KeyMaterial(text: material.secretText) == material)
        #expect(throws: SRTPKeyError.indistinct) { try KeyMaterial(text: "\(first)\n\(first)") }
        #expect(throws: SRTPKeyError.indistinct) {
            try KeyMaterial(text: first + "\n" + first.replacing("|1:1", with: ""))
        }
    }

    @Test func linkKeyRoundTrips() throws {
        let key = KeyMaterial.link(try .random(.aeadAES256GCM))
        #expect(try KeyMaterial(text: key.secretText) == key)
        #expect(try LinkKey.random() != LinkKey.random())
    }

    @Test(arguments: SRTPProfile.allCases)
    func lengthsAreChecked(profile: SRTPProfile) {
        let short = [UInt8](repeating: 1, count: profile.masterKeyLength - 1)
        let salt = [UInt8](repeating: 2, count: profile.masterSaltLength)
        #expect(throws: SRTPKeyError.keyLength(profile, short.count)) {
            try SRTPKey(profile, masterKey: short, masterSalt: salt)
        }
        #expect(throws: SRTPKeyError.saltLength(profile, salt.count + 1)) {
            try SRTPKey(profile, masterKey: short + [1], masterSalt: salt + [1])
        }
    }

    @Test func noSecretShows() throws {
        let key = try SRTPKey(
            .aeadAES128GCM, masterKey: Array("sixteen secret b".utf8), masterSalt: Array("twelve salts".utf8))
        let link = try LinkKey(secret: Array("thirty-two bytes of link secrets".utf8))
        var shown = "\(key) \(String(reflecting: key)) \(link) \(String(reflecting: link))"
        dump(key, to: &shown)
        dump(link, to: &shown)
        dump(KeyMaterial.srtp([key]), to: &shown)
        dump(KeyMaterial.link(link), to: &shown)
        for secret in [Array("sixteen secret b".utf8), Array("twelve salts".utf8), Array("thirty-two bytes".utf8)] {
            #expect(!shown.contains(String(decoding: secret, as: UTF8.self)))
            #expect(!shown.contains(secret.map(String.init).joined(separator: ", ")))
            #expect(!shown.contains("\(secret[0])\n"))
        }
    }
}
