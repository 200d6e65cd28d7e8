// Crypto attributes: read, written again, and refused.

import SRTPKeys
import Testing

@testable import KeyManagement

@Suite("SDES: attributes")
struct CryptoAttributeTests {
    /// RFC 4568 section 4, 6.1 and appendix; then what ffmpeg 5.1 and baresip 1.0 write.
    static let lines = [
        "1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4 FEC_ORDER=FEC_SRTP",
        "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:32",
        "2 AES_CM_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^20|1:4;"
            + "inline:QUJjZGVmMTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5|2^20|2:4",
        "1 AES_CM_128_HMAC_SHA1_80 inline:zvsOZBjdoZtBfQCx6WNRyyqEMrwvBZ8wq2D/hUtf",
        "1 AES_CM_128_HMAC_SHA1_80 inline:mWcbxSA3pT6Oob/HkHfp2NsYWhuzHBAjJ1tyLaD+",
        "999999999 F8_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|1048576 KDR=24 UNENCRYPTED_SRTP "
            + "UNENCRYPTED_SRTCP UNAUTHENTICATED_SRTP FEC_ORDER=SRTP_FEC FEC_KEY=inline:QUJD WSH=64 -mine NEW=1",
        "7 AES_CM_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm"
            + "|340282366920938463463374607431768211455:16",
    ]

    @Test("What is read is written again", arguments: lines)
    func roundTrip(line: String) throws {
        let attribute = try CryptoAttribute(line)
        #expect(attribute.value == line)
        #expect(try CryptoAttribute(attribute.value) == attribute)
    }

    @Test("The parts of RFC 4568's example")
    func parts() throws {
        let attribute = try CryptoAttribute(Self.lines[0])
        #expect(attribute.tag == 1 && attribute.suite == .aesCM128HMACSHA1_80)
        #expect(attribute.parameters == [.fecOrder(.fecThenSRTP)])
        let key = try #require(attribute.keys.first)
        #expect(key.keyAndSalt == Array("YS___semctl () {\t220;}\n}\nunles".utf8))
        #expect(key.lifetime == .powerOfTwo(20) && key.lifetime?.count == 1_048_576)
        #expect(key.identifier == [0, 0, 0, 1])
        let long = try CryptoAttribute(Self.lines[1])
        #expect(long.keys[0].identifier == [UInt8](repeating: 0, count: 31) + [1])
        #expect(try CryptoAttribute(Self.lines[6]).keys[0].identifier == [UInt8](repeating: 255, count: 16))
    }

    @Test("Keys are split into key and salt, as long as each suite wants")
    func keys() throws {
        let keys = try CryptoAttribute(Self.lines[2]).masterKeys()
        #expect(keys.map(\.profile) == [.aesCM128HMACSHA1_80, .aesCM128HMACSHA1_80])
        #expect(
            keys[0].masterKey == Array("123456789ABCDE01".utf8) && keys[0].masterSalt == Array("23456789ABcdef".utf8))
        #expect(keys.map(\.identifier) == [[0, 0, 0, 1], [0, 0, 0, 2]])
        for suite in SRTPProfile.allCases {
            let attribute = CryptoAttribute(tag: 3, key: Bytes.key(suite))
            #expect(try CryptoAttribute(attribute.value).masterKeys() == [Bytes.key(suite)])
            // Base64 whose padding was left out.
            let bare = attribute.value.replacing("=", with: "")
            #expect(try CryptoAttribute(bare).masterKeys() == [Bytes.key(suite)])
        }
    }

    @Test(
        "What does not follow the grammar is malformed",
        arguments: [
            "", "1", "1 AES_CM_128_HMAC_SHA1_80", "x AES_CM_128_HMAC_SHA1_80 inline:QUJD", "-1 A inline:QUJD",
            "1234567890 A inline:QUJD", "1 A-B inline:QUJD", "1 A QUJD", "1 A inline:", "1 A inline:Q!JD",
            "1 A inline:QUJD;",
            "1 A inline:QUJD|2^0", "1 A inline:QUJD|2^49", "1 A inline:QUJD|0", "1 A inline:QUJD|2^20|1",
            "1 A inline:QUJD|2^20|1:0", "1 A inline:QUJD|2^20|1:129", "1 A inline:QUJD|1:4|2^20",
            "1 A inline:QUJD|256:1",
            "1 A inline:QUJD|1:4|2:4", "1 A inline:QUJD|2^20|1:4|5", "1 A inline:QUJD||1:4", "1 A inline:QUJD KDR=0",
            "1 A inline:QUJD KDR=25", "1 A inline:QUJD WSH=63", "1 A inline:QUJD FEC_ORDER=BOTH", "1 A inline:QUJD|+3",
            "1 A " + [String](repeating: "inline:QUJD|1:4", count: 17).joined(separator: ";"),
            "1 A inline:QUJD" + String(repeating: " -a", count: 33),
        ])
    func malformed(line: String) {
        #expect(reason { _ = try CryptoAttribute(line) } == .malformed)
    }

    @Test("Other methods than inline are unsupported")
    func method() {
        #expect(reason { _ = try CryptoAttribute("1 A uri:https://keys") } == .unsupported)
    }

    @Test("What cannot be done is told apart from what would weaken the stream")
    func obstacles() throws {
        let key = "inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm"
        func check(_ rest: String, suite: String = "AES_CM_128_HMAC_SHA1_80") throws -> KeyManagementError.Reason? {
            let attribute = try CryptoAttribute("1 \(suite) \(rest)")
            return reason { _ = try attribute.masterKeys() }
        }
        #expect(try check(key) == nil)
        #expect(try check(key + " WSH=128 -ignore=me") == nil)
        for parameter in ["UNENCRYPTED_SRTP", "UNENCRYPTED_SRTCP", "UNAUTHENTICATED_SRTP"] {
            #expect(try check("\(key) \(parameter)") == .insecure)
        }
        for parameter in ["KDR=1", "FEC_ORDER=FEC_SRTP", "FEC_KEY=inline:QUJD", "MUST=1"] {
            #expect(try check("\(key) \(parameter)") == .unsupported)
        }
        #expect(try check(key, suite: "F8_128_HMAC_SHA1_80") == .unsupported)
        #expect(try check(key, suite: "AES_256_CM_HMAC_SHA1_80") == .keyLength)
        #expect(try check(key, suite: "AEAD_AES_128_GCM") == .keyLength)
        #expect(try check("inline:QUJD") == .keyLength)
        for pair in ["\(key);\(key)", "\(key)|1:1;\(key)|1:2", "\(key)|1:2;\(key)|1:2", "\(key);\(key)|1:4"] {
            #expect(try check(pair) == .malformed, "\(pair)")
        }
    }

    @Test("Neither keys nor errors print key material")
    func secrecy() throws {
        let attribute = try CryptoAttribute(Self.lines[0])
        let key = try CryptoAttribute(Self.lines[3]).masterKeys()[0]
        var dumped = ""
        dump(attribute, to: &dumped)
        dump(key, to: &dumped)
        let texts = [
            "\(attribute)", String(reflecting: attribute), "\(attribute.keys)", "\(key)", String(reflecting: [key]),
            dumped,
        ]
        for text in texts {
            #expect(
                !text.contains("WVNfX19") && !text.contains("semctl") && !text.contains("119, 68")
                    && !text.contains("89, 83"))
        }
        do {
            _ = try CryptoAttribute("1 A inline:c2VjcmV0|junk")
            Issue.record("is not refused")
        } catch {
            #expect(!error.description.contains("c2VjcmV0"))
        }
    }
}
