// What is accepted, what is refused and why.

import RTPWire
import SDP
import Testing

@Suite("SDP: reading")
struct ReadingTests {
    @Test(
        "R-22: malformed but common lines are accepted and kept",
        arguments: [
            "o=- 1.7e9 1 IN IP4 192.168.1.9", "o=- 3 1 IN IP4", "o=IP camera 3 1 IN IP4 10.0.0.1", "o=",
            "c=In IP4 1.2.3.4",
            "c=IN ", "c=IN IP4", "c=IN IP4 ", "b=TIAS:128000", "b=AS", "s=", "t=", "k=clear:x", "x=1",
            "m=application/TP-LINK 0 RTP/AVP smart/1/90000", "m=meta 0 RTP/AVP 107", "m=video 0 RTP/AVP",
            "m=audio 0/0 RTP/AVP 0", "a=", "a=:", "a=rtpmap:96", "a=rtpmap:96 H264", "a=rtcp:", "a=source-filter: incl",
        ])
    func tolerant(line: String) throws {
        let lines = ["v=0", line, "m=video 0 RTP/AVP 96"]
        let description = try SessionDescription.of(lines)
        #expect(description.printedLines == lines)
        #expect(description.media.count == (line.hasPrefix("m=") ? 2 : 1))
    }

    @Test("R-22: no s=, no t=, no o=, blank lines, and garbage at the end")
    func missing() throws {
        let description = try SessionDescription(
            parsing: Array(
                "\r\n\nv=0\r\n\r\nm=video 0 RTP/AVP 96\r\n \r\ngarbage\r\n\r\n$$$\0a=late".utf8))
        #expect(description.printedLines == ["v=0", "m=video 0 RTP/AVP 96"])
        #expect(description.origin == nil && description.name == nil && description.connection == nil)
        #expect(try SessionDescription(parsing: Array("v=0".utf8)).media.isEmpty)
    }

    @Test(
        "What cannot be understood is an error with its line",
        arguments: [
            ("", nil, "SDP: is empty; a description begins with 'v=0'"),
            ("\r\n\n", nil, "SDP: is empty; a description begins with 'v=0'"),
            ("s=x\nv=0\n", 1, "SDP line 1 's=x': stands first; a description begins with 'v=0'"),
            ("v=1\n", 1, "SDP line 1 'v=1': stands first; a description begins with 'v=0'"),
            ("<html>\nv=0\n", 1, "SDP line 1 '<html>': is not a line of SDP, 'x=value'"),
            ("v=0\r\n\r\nhello\r\ns=x\r\n", 3, "SDP line 3 'hello': is not a line of SDP, 'x=value'"),
            ("v=0\n\na\u{7}\r1=x\ns=x\n", 3, "SDP line 3 'a.': is not a line of SDP, 'x=value'"),
            (
                "v=0\nm=video\n", 2,
                "SDP line 2 'm=video': names no UDP port and transport; expected 'm=video 5004 RTP/AVP 96'"
            ),
            (
                "v=0\nm=video 65536 RTP/AVP 96\n", 2,
                "SDP line 2 'm=video 65536 RTP/AVP 96': has the port '65536'; expected 0 to 65535"
            ),
            (
                "v=0\nm=video -1 RTP/AVP 96\n", 2,
                "SDP line 2 'm=video -1 RTP/AVP 96': has the port '-1'; expected 0 to 65535"
            ),
        ] as [(String, Int?, String)])
    func errors(text: String, line: Int?, message: String) throws {
        let error = try #require(throws: SDPError.self) { try SessionDescription(parsing: Array(text.utf8)) }
        #expect(error.line == line)
        #expect(error.description == message)
    }

    @Test("R-13: sizes are limited")
    func limits() throws {
        let text = Array(("v=0\n" + String(repeating: "m=video 0 RTP/AVP 96\na=x\n", count: 3)).utf8)
        #expect(throws: Never.self) {
            try SessionDescription(parsing: text, limits: SDPLimits(bytes: text.count, lines: 7, media: 3))
        }
        for (limits, line) in [
            (SDPLimits(bytes: text.count - 1), nil), (SDPLimits(lines: 6), 7), (SDPLimits(media: 2), 6),
        ] as [(SDPLimits, Int?)] {
            let error = try #require(throws: SDPError.self) { try SessionDescription(parsing: text, limits: limits) }
            #expect(error.line == line)
        }
        #expect(throws: SDPError.self) { try SessionDescription(parsing: Array(repeating: 0x41, count: 131_073)) }
        let long = try #require(throws: SDPError.self) {
            try SessionDescription(parsing: Array(("v=0\n" + String(repeating: "z", count: 9999) + "\ns=\n").utf8))
        }
        #expect(long.text.count == 80)
    }

    @Test("The origin is read, what is missing is empty")
    func origin() throws {
        func origin(_ text: String) throws -> SDPOrigin? { try SessionDescription.of(["v=0", "o=" + text]).origin }
        #expect(
            try origin("alice 2890844526 2890842807 IN IP6 2001:db8::1")
                == SDPOrigin(
                    username: "alice", sessionIdentifier: "2890844526", sessionVersion: "2890842807",
                    addressType: "IP6", address: "2001:db8::1"))
        #expect(try origin("- 1.5e9 1 IN IP4 10.0.0.1")?.sessionIdentifier == "1.5e9")
        #expect(try origin("IP camera 3 1 IN IP4 10.0.0.1")?.username == "IP camera")
        #expect(try origin("- 3 1 IN IP4")?.address == "")
        #expect(try origin("-")?.networkType == "")
        #expect(try origin("") == nil)
        var odd = try #require(try origin("- 3 1.5 IN IP4 10.0.0.1"))
        odd.incrementVersion()
        #expect(odd.sessionVersion == "1")
    }

    @Test(
        "O-05: connections of both families, with time to live and layers",
        arguments: [
            ("IN IP4 10.0.0.1", "10.0.0.1", nil, 1), ("IN IP4 239.1.1.1/32", "239.1.1.1", 32, 1),
            ("IN IP4 239.1.1.1/32/3", "239.1.1.1", 32, 3), ("In ip4 239.1.1.1/999", "239.1.1.1", nil, 1),
            ("IN IP6 ff15::101/3", "ff15::101", nil, 3), ("IN IP6 2001:db8::1", "2001:db8::1", nil, 1),
            ("IN  IP4\tcamera.example", "camera.example", nil, 1), ("IN ? 2001:db8::1/0", "2001:db8::1", nil, 1),
        ] as [(String, String, UInt8?, Int)])
    func connection(text: String, address: String, ttl: UInt8?, count: Int) throws {
        let connection = try #require(try SessionDescription.of(["v=0", "c=" + text]).connection)
        #expect(connection.address == address && connection.ttl == ttl && connection.count == count)
        #expect(connection.ipAddress == IPAddress(address))
    }

    @Test("O-05: a medium has its own connections, or the session's")
    func inherited() throws {
        let description = try SessionDescription.of([
            "v=0", "c=IN IP4 0.0.0.0", "a=recvonly", "a=source-filter: excl IN * * 10.9.9.9", "m=audio 1 RTP/AVP 0",
            "m=video 1 RTP/AVP 96", "c=IN IP4 239.1.1.1/1", "c=IN IP4 239.1.1.2/1", "a=INACTIVE",
            "a=source-filter:incl IN IP4 239.1.1.1 10.0.0.1 10.0.0.2",
        ])
        let (audio, video) = (description.media[0], description.media[1])
        #expect(description.connection(of: audio)?.isUnspecified == true)
        #expect(description.connections(of: video).map(\.address) == ["239.1.1.1", "239.1.1.2"])
        #expect(description.direction(of: audio) == .receiveOnly && description.direction(of: video) == .inactive)
        #expect(description.sourceFilters(of: audio).map(\.mode) == [.exclude])
        #expect(
            description.sourceFilters(of: video) == [
                SourceFilter(addressType: "IP4", destination: "239.1.1.1", sources: ["10.0.0.1", "10.0.0.2"])
            ])
        #expect(try SessionDescription.of(["v=0", "m=audio 1 RTP/AVP 0"]).media[0].direction == nil)
        let bare = try SessionDescription.of(["v=0", "m=audio 1 RTP/AVP 0"])
        #expect(bare.direction(of: bare.media[0]) == .sendReceive && bare.connection(of: bare.media[0]) == nil)
    }

    @Test("O-03: directions are mirrored")
    func directions() {
        #expect(MediaDirection.allCases.map(\.reversed) == [.sendReceive, .receiveOnly, .sendOnly, .inactive])
        #expect(MediaDirection.allCases.map(\.sends) == [true, true, false, false])
        #expect(MediaDirection.allCases.map(\.receives) == [true, false, true, false])
    }

    @Test(
        "Media lines",
        arguments: [
            ("video 49170/2 RTP/AVP 31", "video", 49170, 2, "RTP/AVP", ["31"], true),
            ("audio 0 UDP/TLS/RTP/SAVPF 111 103", "audio", 0, 1, "UDP/TLS/RTP/SAVPF", ["111", "103"], true),
            ("application 9 TCP/MSRP *", "application", 9, 1, "TCP/MSRP", ["*"], false),
        ] as [(String, String, UInt16, Int, String, [String], Bool)])
    func media(
        text: String, kind: String, udpPort: UInt16, count: Int, transport: String, formats: [String], isRTP: Bool
    ) throws {
        let medium = try SessionDescription.of(["v=0", "m=" + text]).media[0]
        #expect(medium.kind == kind && medium.udpPort == udpPort && medium.portCount == count)
        #expect(medium.transport == transport && medium.formats == formats && medium.isRTP == isRTP)
    }

    @Test("Payload types are mapped by the description, else by RFC 3551")
    func rtpMaps() throws {
        let medium = try SessionDescription.of([
            "v=0", "m=audio 0 RTP/AVP 96 0 10 11 14 26 97 98 99 200 x", "a=rtpmap:96 L24/48000/8",
            "a=rtpmap: 0  PCMU/16000",
            "a=rtpmap:97 H264", "a=rtpmap:98 raw/0", "a=rtpmap:098 x/1", "a=fmtp:96 channel-order=SMPTE2110.(ST); ",
        ]).media[0]
        #expect(medium.rtpMap(payloadType: 96) == RTPMap("L24", clockRate: 48_000, channels: 8))
        #expect(medium.clockRate == 48_000)
        #expect(medium.rtpMap(payloadType: 0)?.clockRate == 16_000)
        #expect(medium.rtpMap(payloadType: 10) == RTPMap("L16", clockRate: 44_100, channels: 2))
        #expect(medium.rtpMap(payloadType: 11) == RTPMap("L16", clockRate: 44_100))
        #expect(medium.rtpMap(payloadType: 14) == RTPMap("MPA", clockRate: 90_000))
        #expect(medium.rtpMap(payloadType: 97) == nil && medium.rtpMap(payloadType: 99) == nil)
        #expect(medium.rtpMap(payloadType: 98) == RTPMap("x", clockRate: 1))
        #expect(medium.payloadTypes == [96, 0, 10, 11, 14, 26, 97, 98, 99])
        #expect(medium.formatParameters(payloadType: 96) == "channel-order=SMPTE2110.(ST);")
        #expect(medium.formatParameters(payloadType: 97) == nil)
        for (payloadType, name) in [
            (8, "PCMA"), (9, "G722"), (26, "JPEG"), (31, "H261"), (32, "MPV"), (33, "MP2T"), (34, "H263"),
        ] as [(UInt8, String)] {
            let rate: UInt32 = payloadType < 10 ? 8000 : 90_000
            #expect(RTPMap.assigned(to: payloadType) == RTPMap(name, clockRate: rate))
        }
    }

    @Test("O-06: where RTCP goes")
    func rtcp() throws {
        func medium(_ lines: String...) throws -> MediaDescription {
            try SessionDescription.of(["v=0", "m=audio 5004 RTP/AVP 0"] + lines).media[0]
        }
        #expect(try medium().rtcpUDPPort == 5005)
        #expect(try medium("a=rtcp-mux").rtcpUDPPort == 5004)
        let other = try medium("a=rtcp-fb:* nack", "a=rtcp:53020 IN IP6 2001:db8::1")
        #expect(other.rtcp == RTCPAttribute(udpPort: 53_020, address: IPAddress("2001:db8::1")))
        #expect(other.rtcpUDPPort == 53_020 && !other.hasRTCPMultiplexing)
        #expect(try medium("a=rtcp:7").rtcp == RTCPAttribute(udpPort: 7))
        var last = try medium()
        last.udpPort = 65_535
        #expect(last.rtcpUDPPort == nil)
        last.udpPort = 0
        #expect(last.rtcpUDPPort == nil)
    }

    @Test("Attributes are found whatever their case and spacing")
    func attributes() throws {
        var medium = try SessionDescription.of([
            "v=0", "m=video 0 RTP/AVP 96", "a=Control: trackID=1", "a=x:1", "a=x:2:3", "a=flag", "b=AS:64",
            "b=TIAS: 64000",
        ]).media[0]
        #expect(medium.attribute("control") == "trackID=1" && medium.hasAttribute("flag"))
        #expect(medium.attribute("flag") == "" && medium.attribute("y") == nil)
        #expect(medium.attributes(named: "x") == ["1", "2:3"])
        #expect(medium.bandwidth("AS") == 64 && medium.bandwidth("tias") == 64_000 && medium.bandwidth("CT") == nil)
        medium.setAttribute("x", "9")
        medium.removeAttributes { name, _ in name == "flag" }
        #expect(medium.lines.map(\.value) == ["Control: trackID=1", "x:9", "AS:64", "TIAS: 64000"])
        medium.removeAttributes(named: "X")
        #expect(!medium.hasAttribute("x"))
    }

    @Test(
        "C-07: careless descriptions of cameras are read where that is asked for, and refused elsewhere",
        arguments: [
            ("m=video 0 RTP/AVP 96\r\na=control:t\r\n", "v=0\r\nm=video 0 RTP/AVP 96\r\na=control:t\r\n"),
            ("s=x\r\nm=video 0 RTP/AVP 96\r\n", "v=0\r\ns=x\r\nm=video 0 RTP/AVP 96\r\n"),
            ("v=1\r\nm=video 0 RTP/AVP 96\r\n", "v=0\r\nm=video 0 RTP/AVP 96\r\n"),
            ("v=0\r\nm=video 65536 RTP/AVP 96\r\n", "v=0\r\nm=video 0 RTP/AVP 96\r\n"),
            ("v=0\r\nm=video -1 RTP/AVP 96\r\n", "v=0\r\nm=video 0 RTP/AVP 96\r\n"),
            ("v=0\r\nm=video $ RTP/AVP 96 97\r\n", "v=0\r\nm=video 0 RTP/AVP 96 97\r\n"),
            ("v=0\r\nodd\r\nm=video 0 RTP/AVP 96\r\n", "v=0\r\nm=video 0 RTP/AVP 96\r\n"),
            ("odd\r\nv=0\r\nm=video 0 RTP/AVP 96\r\n", "v=0\r\nm=video 0 RTP/AVP 96\r\n"),
        ])
    func careless(_ text: String, _ read: String) throws {
        #expect(throws: SDPError.self) { try SessionDescription(parsing: Array(text.utf8)) }
        #expect(try SessionDescription(parsing: Array(text.utf8), isLenient: true).text == read)
    }
}
