// From messages to keys, and back.

import SRTPKeys
import Testing

@testable import KeyManagement

@Suite("MIKEY: keys of streams")
struct MIKEYStreamKeysTests {
    static func message(
        _ parameters: [(UInt8, [UInt8])]?, _ keys: [MIKEYKeyData], random: [UInt8] = Bytes.counting(from: 0xa0, 16),
        sessions: [MIKEYCryptoSession]? = [MIKEYCryptoSession(ssrc: 5, rolloverCounter: 6)]
    ) -> MIKEYMessage {
        let policy = parameters.map { parameters in
            MIKEYPayload.securityPolicy(
                MIKEYSecurityPolicy(
                    number: 0, protocolType: 0, parameters: parameters.map { .init(type: $0.0, value: $0.1) }))
        }
        return MIKEYMessage(
            bundle: 0x0102_0304, sessions: sessions,
            payloads: [.random(random)] + (policy.map { [$0] } ?? []) + [.keyTransport(keys)])
    }

    static let key = MIKEYKeyData(kind: .tek, key: Bytes.counting(from: 1, 30))

    @Test("A message that is made for a suite brings its key", arguments: SRTPProfile.allCases)
    func made(suite: SRTPProfile) throws {
        var bytes: UInt8 = 0
        let message = MIKEYMessage(key: Bytes.key(suite).starting(ssrc: 77, rolloverCounter: 3), time: 1 << 40) {
            count in
            (0..<count).map { _ in
                bytes &+= 1
                return bytes
            }
        }
        let read = try MIKEYMessage(base64: message.base64)
        #expect(read == message && read.bundle == 0x0102_0304)
        let keys = try read.streamKeys()
        #expect(keys == [[Bytes.key(suite).starting(ssrc: 77, rolloverCounter: 3)]])
        let open = MIKEYMessage(key: Bytes.key(suite), time: 0) { Bytes.counting(from: 0, $0) }
        #expect(try open.streamKeys()[0][0].ssrc == nil)
    }

    @Test("Policies and what they are called here")
    func policies() throws {
        func suite(_ parameters: [(UInt8, [UInt8])]) -> (SRTPProfile?, KeyManagementError.Reason?) {
            let policy = MIKEYSecurityPolicy(
                number: 0, protocolType: 0, parameters: parameters.map { .init(type: $0.0, value: $0.1) })
            var suite: SRTPProfile?
            let problem = reason { suite = try policy.suite() }
            return (suite, problem)
        }
        // RFC 3830 section 6.10.1 presets what is not said.
        #expect(suite([]) == (.aesCM128HMACSHA1_80, nil))
        #expect(suite([(1, [32])]) == (.aesCM256HMACSHA1_80, nil))
        #expect(suite([(3, [4])]) == (.aesCM128HMACSHA1_32, nil))
        #expect(suite([(3, [20]), (11, [4])]) == (.aesCM128HMACSHA1_32, nil))
        #expect(
            suite([(3, [10]), (11, [10]), (4, [14]), (5, [0]), (6, [0]), (12, [0])]) == (.aesCM128HMACSHA1_80, nil))
        #expect(suite([(0, [6]), (1, [16]), (2, [0]), (3, [0])]) == (.aeadAES128GCM, nil))
        #expect(suite([(0, [6]), (1, [0, 32]), (20, [16])]) == (.aeadAES256GCM, nil))
        for insecure: [(UInt8, [UInt8])] in [[(0, [0])], [(2, [0])], [(7, [0])], [(8, [0])], [(10, [0])]] {
            #expect(suite(insecure) == (nil, .insecure), "\(insecure)")
        }
        for unsupported: [(UInt8, [UInt8])] in [
            [(0, [2])], [(0, [9])], [(1, [24])], [(2, [2])], [(3, [7])], [(4, [12])], [(5, [1])], [(6, [1])],
            [(11, [8])],
            [(12, [1])], [(0, [6]), (1, [24])], [(0, [6]), (20, [8])],
        ] {
            #expect(suite(unsupported) == (nil, .unsupported), "\(unsupported)")
        }
        #expect(suite([(1, [])]) == (nil, .malformed))
        #expect(suite([(1, [0, 0, 0, 0, 16])]) == (nil, .malformed))
        let other = MIKEYSecurityPolicy(number: 0, protocolType: 1, parameters: [])
        #expect(reason { _ = try other.suite() } == .unsupported)
    }

    @Test("TEKs: key and salt in two fields or in one, with an MKI")
    func teks() throws {
        let two = MIKEYKeyData(
            kind: .tek, key: Bytes.counting(from: 1, 16), salt: Bytes.counting(from: 17, 14),
            validity: .identifier([9, 9]))
        let keys = try Self.message(nil, [two]).streamKeys()[0]
        #expect(keys[0].rolloverCounter == 6 && keys[0].ssrc == 5 && keys[0].profile == .aesCM128HMACSHA1_80)
        #expect(keys[0].masterKey == two.key && keys[0].masterSalt == two.salt && keys[0].identifier == [9, 9])
        #expect(try Self.message(nil, [Self.key]).streamKeys()[0][0].masterSalt == two.salt)
        let several = try Self.message(nil, [two, Self.key]).streamKeys()[0]
        #expect(several.map(\.identifier) == [[9, 9], []])
        #expect(reason { _ = try Self.message(nil, [Self.key, Self.key]).streamKeys() } == .malformed)
        #expect(reason { _ = try Self.message([(1, [32])], [Self.key]).streamKeys() } == .keyLength)
        let short = MIKEYKeyData(kind: .tek, key: Bytes.counting(from: 1, 16))
        #expect(reason { _ = try Self.message(nil, [short]).streamKeys() } == .keyLength)
        let salt = MIKEYKeyData(kind: .tek, key: short.key, salt: [1])
        #expect(reason { _ = try Self.message(nil, [salt]).streamKeys() } == .keyLength)
        let interval = MIKEYKeyData(kind: .tek, key: Self.key.key, validity: .interval(from: [1], to: [2]))
        #expect(reason { _ = try Self.message(nil, [interval]).streamKeys() } == .unsupported)
    }

    @Test("TGKs: key and salt are derived, each crypto session's its own")
    func tgks() throws {
        // What a program of its own, with another library's HMAC-SHA1, derives.
        let tgk = MIKEYKeyData(kind: .tgk, key: Bytes.counting(from: 1, 40))
        let sessions = [MIKEYCryptoSession(ssrc: 5), MIKEYCryptoSession(ssrc: 6)]
        let keys = try Self.message([(1, [32])], [tgk], sessions: sessions).streamKeys()
        #expect(
            keys.map(\.[0].ssrc) == [5, 6] && keys.map(\.[0].profile) == [.aesCM256HMACSHA1_80, .aesCM256HMACSHA1_80])
        #expect(Bytes.text(keys[0][0].masterKey) == "c4c47172a78b89ac7edafa169640ffecd8ed3bad012b10e5a67ab6445165169f")
        #expect(Bytes.text(keys[0][0].masterSalt) == "80970831b5f438d100c7b3c4e1ea")
        #expect(Bytes.text(keys[1][0].masterKey) == "bc2957a249014cc756d301428b9525c75ce6d381c5f0717fa2d2dffe963cfa61")
        let salted = MIKEYKeyData(kind: .tgk, key: tgk.key, salt: Bytes.counting(from: 1, 14))
        #expect(try Self.message(nil, [salted]).streamKeys()[0][0].masterSalt == salted.salt)
        #expect(reason { _ = try Self.message(nil, [tgk], random: [1, 2, 3]).streamKeys() } == .insecure)
        #expect(reason { _ = try Self.message(nil, [MIKEYKeyData(kind: .tgk, key: [])]).streamKeys() } == .keyLength)
        var other = Self.message(nil, [tgk])
        other.pseudoRandomFunction = 1
        #expect(reason { _ = try other.streamKeys() } == .unsupported)
    }

    @Test("A message without keys, or without the policy that it names, is refused")
    func missing() {
        #expect(reason { _ = try MIKEYMessage(bundle: 1, sessions: nil, payloads: []).streamKeys() } == .missing)
        var answer = Self.message(nil, [Self.key])
        answer.dataType = .preSharedKeyVerification
        #expect(reason { _ = try answer.streamKeys() } == .missing)
        let sessions = [MIKEYCryptoSession(policy: 3, ssrc: 1)]
        #expect(reason { _ = try Self.message([], [Self.key], sessions: sessions).streamKeys() } == .missing)
    }

    @Test("Keys do not print themselves")
    func secrecy() {
        let key = MIKEYKeyData(kind: .tek, key: Array("secret".utf8))
        var dumped = ""
        dump(MIKEYPayload.keyTransport([key]), to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped, "\(Self.message(nil, [key]))"] {
            #expect(!text.contains("115, 101"), "\(text)")
        }
    }
}
