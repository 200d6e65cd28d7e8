// Cameras that encrypt.

import AgentSupport
import KeyManagement
import Logging
import NIOCore
import RTPWire
import RTSPCore
import Routing
import SDP
import SRTP
import SRTPKeys
import TestSupport
import Testing

@testable import RTSPProxy

@Suite("Encrypted upstreams", .timeLimit(.minutes(2))) @AgentActor struct UpstreamKeysTests {
    /// As gst-rtsp-server 1.22 writes it.
    private static let mikey =
        "mikey AQAFAPr6yCgBAADOMZ9bAAAAAAsA7rO1mJSKWLMKECqZ82gNrbzkuCJUJaOFr2YBAAAAFQABAQEBEAIBAQMBCgcBAQgBAQoBAQAAACIA"
        + "IAAeB18oEc0JZm8PxefoNj1mOTcdtYmDcLS05b+YGBagAA=="
    private static let crypto = "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"

    private static func description(_ transport: String, _ attributes: String...) throws -> SessionDescription {
        let lines =
            ["v=0", "o=- 1 1 IN IP4 10.1.0.7", "s=x", "t=0 0", "m=video 0 \(transport) 96", "a=rtpmap:96 raw/90000"]
            + attributes.map { "a=\($0)" }
        return try SessionDescription(parsing: Array(lines.joined(separator: "\r\n").utf8))
    }

    private static func keys(_ description: SessionDescription) throws -> UpstreamKeys? {
        try UpstreamKeys(of: description.media[0], in: description)
    }

    @Test("R-42: by MIKEY the camera and the node have each a key of their own; by SDES both have the camera's")
    func keys() throws {
        let mikey = try #require(try Self.keys(Self.description("RTP/SAVP", "key-mgmt:\(Self.mikey)")))
        #expect(mikey.peer.map(\.ssrc) == [0xce31_9f5b] && mikey.peer[0].profile == .aesCM128HMACSHA1_80)
        let told = try #require(mikey.message.map { try MIKEYMessage(base64: $0) }).streamKeys()
        #expect(told == [[mikey.own]] && mikey.own.masterKey != mikey.peer[0].masterKey)
        let sdes = try #require(try Self.keys(Self.description("RTP/SAVPF", "crypto:\(Self.crypto)")))
        #expect(sdes.peer == [sdes.own] && sdes.message == nil)
        #expect(try Self.keys(Self.description("RTP/AVP", "crypto:\(Self.crypto)")) == nil)
        for attribute in ["recvonly", "key-mgmt:mikey AQAF", "crypto:\(Self.crypto) UNENCRYPTED_SRTP"] {
            #expect(throws: KeyManagementError.self) {
                _ = try Self.keys(Self.description("RTP/SAVP", attribute))
            }
        }
    }

    @Test("R-42: players get the description without keys, and with plain transports")
    func description() throws {
        let clear = try Self.description("RTP/SAVPF", "key-mgmt:\(Self.mikey)", "crypto:\(Self.crypto)", "framerate:25")
            .withoutKeys
        #expect(clear.media[0].transport == "RTP/AVPF")
        #expect(clear.media[0].lines.map(\.value) == ["rtpmap:96 raw/90000", "framerate:25"])
        let plain = try Self.description("RTP/AVP", "framerate:25")
        #expect(plain.withoutKeys == plain)
    }

    @Test("What comes interleaved is decrypted if it is the camera's, and reports are encrypted with the node's key")
    func packets() throws {
        let keys = try #require(try Self.keys(Self.description("RTP/SAVP", "key-mgmt:\(Self.mikey)")))
        let protection = try StreamProtection(keys)
        let packet: [UInt8] = [0x80, 96, 0, 7, 0, 0, 0, 1, 0xce, 0x31, 0x9f, 0x5b] + Array("picture".utf8)
        var sent = packet + [UInt8](repeating: 0, count: 64)
        let camera = try SRTPSession(keys.peer[0], .sending)
        let count = try sent.withUnsafeMutableBytes { try camera.protectRTP($0.baseAddress!, length: packet.count) }
        sent.removeSubrange(count...)
        #expect(sent.count == packet.count + 10 && !sent.contains(packet[12...]))
        #expect(protection.unprotect(sent, isRTCP: false, now: 1) == packet)
        // Once only, and nothing that was changed on the way.
        #expect(protection.unprotect(sent, isRTCP: false, now: 2) == nil)
        sent[15] ^= 1
        #expect(protection.unprotect(sent, isRTCP: false, now: 3) == nil)
        #expect(protection.unprotect([], isRTCP: true, now: 4) == nil)
        let report = RTCPCompound.report(ssrc: 5, canonicalName: "node", reports: [], leaving: false).bytes
        let secret = try #require(protection.protect(ByteBuffer(bytes: report)))
        #expect(secret.readableBytes == report.count + 14)
        var received = Array(secret.readableBytesView)
        var receiver = try SRTPReceiver([keys.own])
        let length = try received.withUnsafeMutableBytes { bytes throws(SRTPError) in
            try receiver.unprotect(bytes.baseAddress!, length: bytes.count, isControl: true, now: 5)
        }
        #expect(Array(received[..<length]) == report)
    }

    private func source(_ camera: ScriptedCamera, _ context: ProxyContext) throws -> UpstreamSource {
        UpstreamSource(
            context: context, routeName: "rtsp.cam", url: try #require(RTSPURL(camera.url)), transport: .udp)
    }

    @Test("R-42: a camera on TLS is asked for SRTP and told of the node's key; its streams are for players inside TLS")
    func camera() async throws {
        let directory = try TemporaryDirectory()
        let (chain, key) = (directory.path + "/chain.pem", directory.path + "/key.pem")
        _ = try Command.run(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                "2", "-keyout", key, "-out", chain, "-subj", "/CN=camera", "-addext",
                "subjectAltName=IP:127.0.0.1",
            ])
        let routing = EmulatedRoutes()
        let first = UInt16.random(in: 10_000...19_000) & ~1
        var configuration = RTSPConfiguration(udpPorts: first...first + 200)
        configuration.authorities = chain
        let context = ProxyContext(
            configuration: configuration, routing: routing,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        var script = ScriptedCamera.Script()
        script.certificate = (chain, key)
        script.media =
            "m=video 0 RTP/SAVP 96\r\na=rtpmap:96 raw/90000\r\na=control:trackID=0\r\na=key-mgmt:\(Self.mikey)\r\n"
            + "m=audio 0 RTP/SAVP 0\r\na=control:trackID=1\r\n"
        let camera = try await ScriptedCamera(script)
        let open = try source(camera, context)
        let presentation = try await open.open()
        #expect(presentation.streams.map(\.index) == [0] && presentation.streams[0].isEncrypted == true)
        #expect(
            !presentation.description.text.contains("mikey") && presentation.description.text.contains("RTP/AVP 96"))
        let setup = try #require(camera.requests.first { $0.method == .setup })
        #expect(setup.headers["Transport"]?.hasPrefix("RTP/SAVP;") == true)
        let told = try KeyManagementHeader.parse(try #require(setup.headers["KeyMgmt"]))
        #expect(told.count == 1 && told[0].uri == setup.uri)
        #expect(await routing.sources["rtsp.cam.0.rtp"]?.allSatisfy { $0.srtp?.key == "rtsp.cam.0.keys" } == true)
        #expect(await routing.sources["rtsp.cam.0.rtcp"]?.allSatisfy { $0.srtp?.key == "rtsp.cam.0.keys" } == true)
        #expect(await routing.keys["rtsp.cam.0.keys"]?.map(\.ssrc) == [0xce31_9f5b])
        await open.close()
        #expect(await routing.keys.isEmpty)
        try await camera.stop()
        // What was to be encrypted is not taken in clear.
        script.answersInClear = true
        let weak = try await ScriptedCamera(script)
        let refused = try source(weak, context)
        await #expect(throws: MediaSourceError.self) { _ = try await refused.open() }
        await refused.close()
        try await weak.stop()
    }
}
