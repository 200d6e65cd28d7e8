// The Transport header, as the RFC writes it and as cameras do.

import RTPWire
import Testing

@testable import RTSPCore

@Suite struct TransportHeaderTests {
    private func one(_ text: String) throws -> TransportSpecification {
        let header = try #require(TransportHeader(text))
        #expect(header.specifications.count == 1)
        return header.specifications[0]
    }

    @Test("R-35: alternatives keep their order, and a quoted comma is none between them")
    func alternatives() throws {
        let header = try #require(
            TransportHeader(
                "RTP/AVP;multicast;ttl=127;mode=\"PLAY,RECORD\", RTP/AVP/TCP;unicast;interleaved=0-1,RTP/AVP;unicast;client_port=3456-3457"
            ))
        #expect(header.specifications.map(\.delivery) == [.multicast, .unicast, .unicast])
        #expect(header.specifications.map(\.lowerTransport) == [.udp, .tcp, .udp])
        #expect(header.specifications[0].modes == [.play, .record])
        #expect(header.specifications[0].timeToLive == 127)
    }

    @Test("R-35: RTP/AVP/UDP is RTP/AVP, and delivery is multicast where nothing says otherwise")
    func defaults() throws {
        #expect(try one("RTP/AVP/UDP;unicast") == one("RTP/AVP;unicast"))
        #expect(try one("RTP/AVP").isMulticast)
        #expect(try one("RTP/AVP").delivery == nil)
        #expect(try !one("RTP/AVP;client_port=5000").isMulticast)
        #expect(try !one("RTP/AVP/TCP").isMulticast)
        #expect(try one("RTP/SAVP;unicast").profile == .savp)
        #expect(try one("MP2T/H2221/UDP;unicast").profile == .other("MP2T/H2221"))
        #expect(try one("RAW/RAW/UDP;unicast").profile == .other("RAW/RAW"))
    }

    @Test("R-35: parameters stand in any order, in any case, quoted or not; unknown ones are ignored but kept")
    func order() throws {
        let transport = try one("client_port=3456-3457;RTP/AVP;mode=\"PLAY\";unicast")
        #expect(transport.clientUDPPorts == .init(3456, 3457))
        #expect(transport.isPlay)
        #expect(transport.delivery == .unicast)
        #expect(try one("rtp/avp ; UNICAST ; Client_Port = 5000 ; mode=play").clientUDPPorts == .init(5000))
        #expect(try one("RTP/AVP;unicast;mode=receive").isRecord)
        #expect(try !one("RTP/AVP;unicast;mode=\"RECORD\"").isPlay)
        let unknown = try one("RTP/AVP;unicast;x-dscp=46;RTCP-mux;client_port=none")
        #expect(unknown.others == ["x-dscp=46", "RTCP-mux", "client_port=none"])
        #expect(unknown.clientUDPPorts == nil)
    }

    @Test("R-36: one number means its successor too, odd ones are taken, and both are printed as they came")
    func pairs() throws {
        let single = try #require(try one("RTP/AVP;unicast;client_port=14186").clientUDPPorts)
        #expect(single.rtcp == 14187)
        #expect(single.description == "14186")
        #expect(try one("RTP/AVP;unicast;client_port=5001-5002").clientUDPPorts?.description == "5001-5002")
        #expect(try one("RTP/AVP;unicast;client_port=65535").clientUDPPorts?.rtcp == nil)
        #expect(try one("RTP/AVP;unicast;client_port=65536").clientUDPPorts == nil)
        #expect(try one("RTP/AVP/TCP;interleaved=1-0").interleaved == .init(1, 0))
        #expect(try one("RTP/AVP/TCP;interleaved=254-255").interleaved?.rtcp == 255)
        #expect(try one("RTP/AVP/TCP;interleaved=256-257").interleaved == nil)
        #expect(try one("RTP/AVP;unicast;server_port=0-0").serverUDPPorts == .init(0, 0))
    }

    @Test(
        "R-36: an SSRC is eight hexadecimal digits, but padded, short and decimal ones are understood",
        arguments: [
            ("ssrc=0A1B2C3D", 0x0a1b_2c3d as UInt32?), ("ssrc= 4317f", 0x4317f), ("ssrc=     D93FF", 0xd93ff),
            ("ssrc=1449463210", 1_449_463_210), ("ssrc=0", 0), ("ssrc=", nil), ("ssrc=xyz", nil),
            ("ssrc=99999999999", nil), ("ssrc=12345678", 0x1234_5678),
        ])
    func ssrc(text: String, expected: UInt32?) throws {
        #expect(try one("RTP/AVP;unicast;\(text)").ssrc == expected)
    }

    @Test("R-36: an SSRC is printed with eight digits")
    func ssrcPrinted() {
        #expect(
            TransportSpecification(delivery: .unicast, ssrc: 0xd93ff).description == "RTP/AVP;unicast;ssrc=000D93FF")
    }

    @Test("R-39: source is an address, a host name, or empty")
    func sources() throws {
        #expect(try one("RTP/AVP;unicast;source=10.1.0.7").sourceAddress == IPAddress(10, 1, 0, 7))
        #expect(try one("RTP/AVP;unicast;source=cam.studio").source == "cam.studio")
        #expect(try one("RTP/AVP;unicast;source=cam.studio").sourceAddress == nil)
        #expect(try one("RTP/AVP;unicast;source=;server_port=1-2").source == nil)
        #expect(try one("RTP/AVP;unicast;destination").destination == "")
    }

    @Test("R-43: addresses in destination and source are IPv6 with and without brackets")
    func ipv6() throws {
        for text in ["[2001:db8::1]", "2001:db8::1"] {
            let transport = try one("RTP/AVP;unicast;destination=\(text);source=\(text)")
            #expect(transport.destinationAddress == IPAddress("2001:db8::1"))
            #expect(transport.sourceAddress == IPAddress("2001:db8::1"))
        }
    }

    @Test(
        "What is printed is read again",
        arguments: [
            "RTP/AVP;unicast;client_port=3456-3457;server_port=5000-5001;ssrc=0A1B2C3D;mode=\"PLAY\"",
            "RTP/AVP/TCP;unicast;interleaved=0-1;mode=\"RECORD\";append",
            "RTP/AVP;multicast;destination=239.1.1.1;source=10.0.0.1;ttl=16;layers=2;port=5004-5005",
            "RTP/SAVPF;unicast;destination;client_port=1",
        ])
    func printed(text: String) throws {
        #expect(TransportHeader(text)?.description == text)
    }

    @Test(
        "Quotation marks and combining characters: what is printed is read again, and equal",
        arguments: [
            "RTP/AVP;mode=a\"b;unicast", "RTP/AVP;unicast;mode=\"PLAY",
            "RTP/AVP;client_port=1-2;destination=a\"b;unicast",
            "RTP/AVP;source=\"\"a;b\"\"", "RTP/AVP;destination=[[::1]]",
            "RTP/AVP;mode=\u{301}PLAY;client_port=\u{301}/",
            "RTP/AVP;mode=\"PLAY, record\",RTP/AVP/TCP;source=\"a\"",
        ])
    func quoted(text: String) throws {
        var header = try #require(TransportHeader(text))
        for index in header.specifications.indices { header.specifications[index].others = [] }
        #expect(TransportHeader(header.description) == header)
    }

    @Test("R-41: a parameter that says where packets go, and cannot be read, is told")
    func unreadable() throws {
        #expect(try one("RTP/AVP/TCP;interleaved=300-301;x=y").unreadable == "interleaved=300-301")
        #expect(try one("RTP/AVP;client_port=1-2;client_port").unreadable == "client_port")
        #expect(try one("RTP/AVP;mode=\"PLAY").unreadable == "mode=\"PLAY")
        #expect(try one("RTP/AVP;x=y;ttl=900;server_port=x").unreadable == nil)
    }

    @Test("A header without any protocol is none, and alternatives are limited")
    func limits() throws {
        #expect(TransportHeader("") == nil)
        #expect(TransportHeader("unicast;client_port=1-2") == nil)
        let many = try #require(TransportHeader(Array(repeating: "RTP/AVP", count: 100).joined(separator: ",")))
        #expect(many.specifications.count == TransportHeader.maximumSpecifications)
        #expect(
            TransportHeader(["Transport": "RTP/AVP;unicast", "transport": "RTP/AVP/TCP"])?.specifications.count == 2)
    }
}
