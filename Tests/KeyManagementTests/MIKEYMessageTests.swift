// Messages of MIKEY: from GStreamer, written again, and refused.

import SRTPKeys
import Testing

@testable import KeyManagement

@Suite("MIKEY: messages")
struct MIKEYMessageTests {
    /// What gst-rtsp-server 1.22 writes into its description, and rtspsrc 1.22 into its SETUP.
    static let server =
        "AQAFAPr6yCgBAADOMZ9bAAAAAAsA7rO1mJSKWLMKECqZ82gNrbzkuCJUJaOFr2YBAAAAFQABAQEBEAIBAQMBCgcBAQgBAQoBAQAAACIAIAAe"
        + "B18oEc0JZm8PxefoNj1mOTcdtYmDcLS05b+YGBagAA=="
    static let client =
        "AQAFAAVIKMgBAAC8I1UcAAAAAAsA7rO1noyVrykKEJbbTAlM6bEW49YkHDnsxxkBAAAAFQABAQEBEAIBAQMBCgcBAQgBAQoBAQAAACIAIAAe"
        + "+RAEkfNSObCCeDytA0V/hDNza7CEvcVw+w4ZBp7bAA=="
    /// From GstMIKEYMessage 1.22 for a key of the bytes 1 to 30.
    static let made =
        "AQAFAPm58Y4AAAsA7rO1EcfFzdUKEPRmq9/QLatbeLd2k24D9wMBAAAAFQABAQEBEAIBAQMBCgcBAQgBAQoBAQAAACIAIAAeAQIDBAUGBwgJ"
        + "CgsMDQ4PEBESExQVFhcYGRobHB0eAA=="

    @Test("What GStreamer writes is read, and written again byte for byte", arguments: [server, client, made])
    func roundTrip(text: String) throws {
        #expect(try MIKEYMessage(base64: text).base64 == text)
    }

    @Test("The parts of gst-rtsp-server's message")
    func parts() throws {
        let message = try MIKEYMessage(base64: Self.server)
        #expect(message.dataType == .preSharedKey && !message.wantsVerification && message.pseudoRandomFunction == 0)
        #expect(message.bundle == 0xfafa_c828)
        #expect(message.sessions == [MIKEYCryptoSession(policy: 0, ssrc: 0xce31_9f5b)])
        #expect(message.payloads.count == 4)
        #expect(message.payloads[0] == .timestamp(.ntpUTC(0xeeb3_b598_948a_58b3)))
        #expect(message.payloads[1] == .random(Bytes.of("2a99f3680dadbce4b8225425a385af66")))
        guard case .securityPolicy(let policy) = message.payloads[2] else {
            throw KeyManagementError(.missing, "policy")
        }
        #expect(try policy.suite() == .aesCM128HMACSHA1_80)
        let keys = try #require(try message.streamKeys().first)
        #expect(keys.count == 1 && keys[0].profile == .aesCM128HMACSHA1_80)
        #expect(keys[0].ssrc == 0xce31_9f5b && keys[0].rolloverCounter == 0 && keys[0].identifier.isEmpty)
        #expect(keys[0].masterKey == Bytes.of("075f2811cd09666f0fc5e7e8363d6639"))
        #expect(keys[0].masterSalt == Bytes.of("371db5898370b4b4e5bf981816a0"))
    }

    @Test("GStreamer's key and salt in one are split; no crypto session means any sender")
    func concatenated() throws {
        let message = try MIKEYMessage(base64: Self.made)
        #expect(message.sessions == [])
        #expect(try message.streamKeys().isEmpty)
        var open = message
        open.sessions = nil
        let keys = try open.streamKeys()
        #expect(keys.count == 1 && keys[0][0].ssrc == nil && keys[0][0].masterKey == Bytes.counting(from: 1, 16))
    }

    @Test("Every kind of payload is read as it was written")
    func everything() throws {
        let message = MIKEYMessage(
            dataType: .preSharedKey, wantsVerification: true, pseudoRandomFunction: 1, bundle: 7,
            sessions: [
                MIKEYCryptoSession(policy: 1, ssrc: 2, rolloverCounter: 3),
                MIKEYCryptoSession(ssrc: 0xffff_ffff, rolloverCounter: .max),
            ],
            payloads: [
                .timestamp(.counter(9)), .timestamp(.ntp(10)), .random([1]), .identity(type: 1, Array("me@here".utf8)),
                .error(5), .verification([]), .verification(Bytes.counting(from: 1, 20)),
                .generalExtension(type: 0, [1, 2]),
                .securityPolicy(
                    MIKEYSecurityPolicy(number: 3, protocolType: 9, parameters: [.init(type: 200, value: [1, 2])])),
                .keyTransport([
                    MIKEYKeyData(kind: .tgk, key: [1], salt: [2, 3], validity: .identifier([4])),
                    MIKEYKeyData(kind: .tek, key: [], validity: .interval(from: [1], to: [2, 3])),
                    MIKEYKeyData(kind: .tek, key: [6]),
                ]),
                .keyTransport([MIKEYKeyData(kind: .tgk, key: [7])]),
            ])
        #expect(try MIKEYMessage(message.bytes) == message)
        var empty = message
        empty.sessions = nil
        #expect(try MIKEYMessage(empty.bytes) == empty)
        empty.payloads = []
        #expect(try MIKEYMessage(empty.bytes) == empty)
    }

    @Test("A message that ends too early is malformed, wherever it ends")
    func truncated() throws {
        let bytes = try MIKEYMessage(base64: Self.server).bytes
        for count in 0..<bytes.count {
            #expect(reason { _ = try MIKEYMessage(Array(bytes[..<count])) } == .malformed, "\(count) bytes")
        }
        #expect(reason { _ = try MIKEYMessage(bytes + [0]) } == .malformed)
        #expect(reason { _ = try MIKEYMessage([UInt8](repeating: 1, count: 16_385)) } == .malformed)
        #expect(reason { _ = try MIKEYMessage(base64: "not base64!") } == .malformed)
    }

    @Test("What is not for this node is unsupported")
    func unsupported() throws {
        let bytes = try MIKEYMessage(base64: Self.server).bytes
        func changed(_ offset: Int, _ value: UInt8) -> KeyManagementError.Reason? {
            var bytes = bytes
            bytes[offset] = value
            return reason { _ = try MIKEYMessage(bytes) }
        }
        #expect(changed(0, 2) == .unsupported)  // the version
        #expect(changed(1, 2) == .unsupported)  // public keys
        #expect(changed(1, 4) == .unsupported)  // Diffie-Hellman
        #expect(changed(2, 4) == .unsupported)  // a signature
        #expect(changed(2, 20) == .malformed)  // a key outside of KEMAC
        #expect(changed(9, 1) == .unsupported)  // an empty map with a session
        #expect(changed(9, 5) == .unsupported)  // an unknown map
        #expect(changed(20, 3) == .unsupported)  // the timestamp
        let transport = try #require(bytes.firstRange(of: [0, 0, 0, 34, 0, 32])?.lowerBound)
        #expect(changed(transport + 1, 1) == .unsupported)  // encrypted keys
        #expect(changed(bytes.count - 1, 1) == .unsupported)  // a MAC
        #expect(changed(transport + 5, 0x80) == .unsupported)  // the key's type
        #expect(changed(transport + 5, 0x23) == .unsupported)  // its validity
        #expect(changed(transport + 4, 10) == .malformed)  // no key behind the key
    }

    @Test("Endless chains of payloads and keys are cut")
    func chains() {
        let payloads = [MIKEYPayload](repeating: .random([]), count: 33)
        let message = MIKEYMessage(bundle: 1, sessions: [], payloads: payloads)
        #expect(reason { _ = try MIKEYMessage(message.bytes) } == .malformed)
        let keys = [MIKEYKeyData](repeating: MIKEYKeyData(kind: .tek, key: []), count: 33)
        let many = MIKEYMessage(bundle: 1, sessions: [], payloads: [.keyTransport(keys)])
        #expect(reason { _ = try MIKEYMessage(many.bytes) } == .malformed)
    }
}
