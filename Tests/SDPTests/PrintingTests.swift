// What is parsed is printed again, and only what was changed differs.

import RTPWire
import SDP
import TestSupport
import Testing

@Suite("SDP: printing")
struct PrintingTests {
    /// A description as ST 2110 and IPMX senders make them; the values are this test's own.
    static let studio = [
        "v=0", "o=- 1 7 IN IP4 10.1.0.7", "s= ", "i=Studio 2, camera 3", "t=0 0", "a=recvonly",
        "a=clock-domain:PTPv2 127", "a=group:DUP first second", "a=hkep:5200 IN IP4 10.1.0.7 aa-bb-cc",
        "m=video 50020 RTP/AVP 96", "c=IN IP4 239.1.1.1/64",
        "a=source-filter: incl IN IP4 239.1.1.1 10.1.0.7", "a=rtpmap:96 raw/90000",
        "a=fmtp:96 sampling=YCbCr-4:2:2; width=1920; height=1080; exactframerate=60000/1001; depth=10; TCS=SDR; "
            + "colorimetry=BT709; PM=2110GPM; SSN=ST2110-20:2017; TP=2110TPN; interlace; TROFF=37; TSMODE=SAMP; ",
        "a=ts-refclk:ptp=IEEE1588-2008:08-00-11-FF-FE-22-33-44:127", "a=mediaclk:direct=0", "a=mid:first",
        "a=infoframe:1", "a=privacy:protocol=RTP; mode=AES-128-CTR",
        "m=video 50020 RTP/AVP 96", "c=IN IP4 239.2.1.1/64", "a=rtpmap:96 raw/90000", "b=AS:2400000", "a=mid:second",
        "m=audio 5004 RTP/AVP 97", "c=IN IP4 239.1.1.2/32", "a=rtpmap:97  L24/48000/8", "a=ptime:0.125",
        "a=fmtp:97 channel-order=SMPTE2110.(51,ST)", "a=framecount:6", "a=sync-time:0", "z=odd\tone", "y=unknown",
    ]

    @Test("O-07: every line comes back byte for byte, known or not", arguments: ["\r\n", "\n", "\r", "\r\r\n"])
    func unchanged(end: String) throws {
        let description = try SessionDescription.of(Self.studio, end: end)
        #expect(description.bytes == Array(Self.studio.map { $0 + "\r\n" }.joined().utf8))
    }

    @Test("Bytes that are not UTF-8 come back")
    func latin() throws {
        let bytes = Array("v=0\r\ns=Caf".utf8) + [0xe9] + Array("\r\nm=video 0 RTP/AVP 26\r\n".utf8)
        let description = try SessionDescription(parsing: bytes)
        #expect(description.bytes == bytes)
        #expect(description.name == "Caf\u{fffd}")
    }

    @Test("A setter changes its line only, and one that sets what is there changes nothing")
    func setters() throws {
        var description = try SessionDescription.of(Self.studio)
        description.media[0].connection = description.media[0].connection
        description.media[0].udpPort = 50_020
        description.media[2].setAttribute("rtpmap", "97 L24/48000/8")
        description.origin = description.origin
        #expect(description.printedLines == Self.studio)
        description.media[0].udpPort = 6000
        description.media[2].setAttribute("ptime", "1")
        description.media[2].connection = nil
        description.media[1].setAttribute("mid", "2")
        description.origin?.incrementVersion()
        var expected = Self.studio
        for (old, new) in [
            ("o=- 1 7 IN IP4 10.1.0.7", "o=- 1 8 IN IP4 10.1.0.7"),
            ("m=video 50020 RTP/AVP 96", "m=video 6000 RTP/AVP 96"),
            ("a=ptime:0.125", "a=ptime:1"), ("a=mid:second", "a=mid:2"),
        ] {
            expected[try #require(expected.firstIndex(of: old))] = new
        }
        expected.removeAll { $0 == "c=IN IP4 239.1.1.2/32" }
        #expect(description.printedLines == expected)
    }

    @Test("New lines stand where RFC 8866 section 5 wants them")
    func order() throws {
        var description = try SessionDescription.of(["v=0", "a=x", "m=audio 0 RTP/AVP 0", "i=one", "a=y"])
        description.name = "-"
        description.origin = SDPOrigin(
            sessionIdentifier: "5", sessionVersion: "1", addressType: "IP4", address: "10.0.0.1")
        description.connection = SDPConnection(try #require(IPAddress("10.0.0.2")))
        description.media[0].connection = SDPConnection(try #require(IPAddress("ff3e::1")), ttl: 9, count: 2)
        description.media[0].addAttribute("z", "1")
        description.media[0].direction = .sendOnly
        #expect(
            description.printedLines == [
                "v=0", "o=- 5 1 IN IP4 10.0.0.1", "s=-", "c=IN IP4 10.0.0.2", "a=x", "m=audio 0 RTP/AVP 0", "i=one",
                "c=IN IP6 ff3e::1/2", "a=y", "a=z:1", "a=sendonly",
            ])
    }

    @Test("A description made here parses as what it was made of")
    func made() throws {
        let address = try #require(IPAddress("239.1.1.1"))
        var description = SessionDescription(
            origin: SDPOrigin(sessionIdentifier: "1", sessionVersion: "2", addressType: "IP4", address: "10.0.0.1"),
            name: "x", connection: SDPConnection(address, ttl: 16, count: 3))
        var medium = MediaDescription(
            kind: "audio", udpPort: 5004, portCount: 2, transport: "RTP/SAVPF", formats: ["0", "96"])
        medium.setAttribute("rtcp-mux")
        description.media = [medium]
        #expect(
            description.printedLines == [
                "v=0", "o=- 1 2 IN IP4 10.0.0.1", "s=x", "c=IN IP4 239.1.1.1/16/3", "t=0 0",
                "m=audio 5004/2 RTP/SAVPF 0 96", "a=rtcp-mux",
            ])
        #expect(try SessionDescription(parsing: description.bytes) == description)
    }

    @Test("A value with a line end in it cannot make another line")
    func injection() throws {
        var description = try SessionDescription.of(["v=0", "m=audio 0 RTP/AVP 0"])
        description.media[0].setAttribute("control", "a\r\nm=video 9 RTP/AVP 96\0")
        #expect(description.printedLines.last == "a=control:am=video 9 RTP/AVP 96")
        #expect(try SessionDescription(parsing: description.bytes).media.count == 1)
    }

    @Test("Whatever bytes come in: an error, or a description that prints the same when read again")
    func random() throws {
        var generator = SeededGenerator(seed: 8866)
        let start = Array(Self.studio.map { $0 + "\n" }.joined().utf8)
        var accepted = 0
        for _ in 0..<3000 {
            var bytes = start
            for _ in 0...Int.random(in: 0...6, using: &generator) {
                let place = Int.random(in: 4..<bytes.count, using: &generator)
                switch Int.random(in: 0...2, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                default:
                    bytes.insert([0x0a, 0x0d, 0x3a, 0x2f, 0x20, 0x3d].randomElement(using: &generator) ?? 0, at: place)
                }
            }
            guard let description = try? SessionDescription(parsing: bytes) else { continue }
            accepted += 1
            let printed = description.bytes
            #expect(try SessionDescription(parsing: printed).bytes == printed)
            _ = description.strippedOfTransport().multicastDescription([:]).text
            for medium in description.media { _ = (medium.clockRate, medium.rtcpUDPPort, medium.sourceFilters) }
        }
        #expect(accepted > 500 && accepted < 3000)
    }
}
