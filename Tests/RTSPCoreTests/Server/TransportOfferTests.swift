// What is chosen from a client's Transport header.

import RTPWire
import RTSPCore
import Testing

@Suite struct TransportOfferTests {
    static let peer = IPAddress(10, 2, 0, 5)
    static let node = IPAddress(10, 2, 0, 1)
    static let group = IPAddress(239, 1, 1, 9)

    var offer: TransportOffer

    init() {
        offer = TransportOffer(peer: Self.peer)
        offer.hasUDP = true
        offer.usedChannels = []
        offer.multicast = .init(group: Self.group, udpPort: 5004, timeToLive: 16)
    }

    /// The response's Transport, or the refusal's status.
    func answer(_ transport: String?, source: IPAddress? = node, ssrc: UInt32? = nil) -> String {
        do throws(RTSPRefusal) {
            let choice = try offer.choose(from: transport.map { ["Transport": $0] } ?? [:])
            return switch choice.transport {
            case .udp: choice.answer(serverUDPPort: 20_000, source: source, ssrc: ssrc)
            case .multicast: choice.answer(source: source, ssrc: ssrc)
            case .interleaved: choice.answer(ssrc: ssrc)
            }
        } catch { return "\(error.response.status.code)" }
    }

    @Test("R-35: the first acceptable alternative is chosen, and it alone is returned")
    func alternatives() throws {
        let all = "RTP/SAVP;unicast;client_port=1-2,RTP/AVP/TCP;unicast;interleaved=2-3,RTP/AVP;unicast;client_port=6-7"
        #expect(answer(all) == "RTP/AVP/TCP;unicast;interleaved=2-3")
        var repeated = RTSPHeaders()
        repeated.append("Transport", "RAW/RAW/UDP;unicast;client_port=1-2")
        repeated.append("transport", "RTP/AVP;unicast;client_port=6-7")
        let choice = try offer.choose(from: repeated)
        #expect(choice.transport == .udp(address: Self.peer, rtpUDPPort: 6, rtcpUDPPort: 7))
    }

    @Test("R-35: parameters in any order, quoted mode, RTP/AVP/UDP as RTP/AVP, unknown parameters")
    func spelling() {
        let expected = "RTP/AVP;unicast;source=10.2.0.1;client_port=3456-3457;server_port=20000-20001;mode=\"PLAY\""
        for text in [
            "RTP/AVP;unicast;client_port=3456-3457;mode=\"PLAY\"",
            "RTP/AVP/UDP;mode=play;client_port=3456-3457;unicast",
            "client_port=3456-3457;RTP/AVP;mode=\"PLAY\";unicast",
            "rtp/avp;UNICAST;x-y=z;client_port=3456-3457;mode=PLAY",
        ] { #expect(answer(text) == expected, "\(text)") }
    }

    @Test("R-35: what says neither unicast nor multicast and has no client_port is multicast")
    func defaultDelivery() {
        let expected = "RTP/AVP;multicast;destination=239.1.1.9;source=10.2.0.1;ttl=16;port=5004-5005"
        #expect(answer("RTP/AVP") == expected)
        #expect(answer("RTP/AVP;multicast") == expected)
        #expect(answer("RTP/AVP;multicast;destination=239.1.1.9;port=1-2;ttl=3") == expected)
    }

    @Test("R-35: 461 when nothing is acceptable, 400 without a Transport header")
    mutating func nothing() {
        #expect(answer(nil) == "400")
        for text in [
            "", "nonsense", "RAW/RAW/UDP;unicast;client_port=6-7", "RTP/AVP;unicast", "RTP/AVP;unicast;client_port=0-1",
            "RTP/AVP;unicast;client_port=65535", "RTP/AVP;unicast;client_port=70000-70001",
            "RTP/AVP;unicast;client_port=6-7;mode=RECORD", "RTP/AVP;multicast;destination=239.7.7.7",
        ] { #expect(answer(text) == "461", "\(text)") }
        offer.hasUDP = false
        offer.usedChannels = nil
        offer.multicast = nil
        for text in ["RTP/AVP;unicast;client_port=6-7", "RTP/AVP/TCP;unicast;interleaved=0-1", "RTP/AVP;multicast"] {
            #expect(answer(text) == "461", "\(text)")
        }
    }

    @Test("R-36: one number implies the next, odd ones are taken, client_port is repeated as it was written")
    func udpPorts() throws {
        let single = try offer.choose(from: ["Transport": "RTP/AVP;unicast;client_port=14187"])
        #expect(single.transport == .udp(address: Self.peer, rtpUDPPort: 14_187, rtcpUDPPort: 14_188))
        #expect(
            answer("RTP/AVP;unicast;client_port=14187", source: nil)
                == "RTP/AVP;unicast;client_port=14187;server_port=20000-20001")
        #expect(
            answer("RTP/AVP;unicast;client_port=7-6", source: nil)
                == "RTP/AVP;unicast;client_port=7-6;server_port=20000-20001")
    }

    @Test("R-36: ssrc is eight hexadecimal digits, and unicast only")
    func ssrc() {
        #expect(
            answer("RTP/AVP/TCP;interleaved=0-1", ssrc: 0x4317f) == "RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=0004317F")
        #expect(!answer("RTP/AVP;multicast", ssrc: 1).contains("ssrc"))
    }

    @Test("R-37: a destination other than the requester is refused unless it may be used; source is told")
    mutating func destination() throws {
        #expect(answer("RTP/AVP;unicast;destination=10.9.9.9;client_port=6-7") == "403")
        #expect(answer("RTP/AVP;unicast;destination=victim;client_port=6-7") == "462")
        #expect(answer("RTP/AVP;unicast;destination;client_port=6-7").contains("source=10.2.0.1"))
        #expect(answer("RTP/AVP;unicast;destination=10.2.0.5;client_port=6-7").contains("destination=10.2.0.5;"))
        #expect(
            answer("RTP/AVP;unicast;destination=10.9.9.9;client_port=6-7,RTP/AVP/TCP;interleaved=0-1")
                == "RTP/AVP/TCP;unicast;interleaved=0-1")
        offer.mayUse = { $0 == IPAddress(10, 9, 9, 9) }
        let choice = try offer.choose(from: ["Transport": "RTP/AVP;unicast;destination=10.9.9.9;client_port=6-7"])
        #expect(choice.transport == .udp(address: IPAddress(10, 9, 9, 9), rtpUDPPort: 6, rtcpUDPPort: 7))
        #expect(answer("RTP/AVP;unicast;destination=10.9.9.8;client_port=6-7") == "403")
    }

    @Test("R-38: UDP ports at which another session receives are refused")
    mutating func taken() {
        offer.isTaken = { $0 == Self.peer && $1 == 7 }
        for ports in ["6-7", "7-8", "7"] { #expect(answer("RTP/AVP;unicast;client_port=\(ports)") == "461") }
        #expect(answer("RTP/AVP;unicast;client_port=8-9") != "461")
    }

    @Test("R-41: the client's channels are honoured, single and reversed ones too; else the first free are chosen")
    mutating func channels() throws {
        for (wanted, chosen) in [("6-7", "6-7"), ("254-255", "254-255"), ("1-0", "1-0"), ("4", "4-5"), ("9-3", "9-3")] {
            #expect(answer("RTP/AVP/TCP;interleaved=\(wanted)") == "RTP/AVP/TCP;unicast;interleaved=\(chosen)")
        }
        offer.usedChannels = [0, 3]
        #expect(answer("RTP/AVP/TCP;unicast") == "RTP/AVP/TCP;unicast;interleaved=4-5")
        offer.usedChannels = Set(0...255)
        #expect(answer("RTP/AVP/TCP;unicast") == "461")
    }

    @Test("R-41: channels that another stream has, and one channel for both, are refused")
    mutating func channelConflict() {
        offer.usedChannels = [2, 3]
        for wanted in ["2-3", "3-4", "1-2", "1", "0-0", "255"] {
            #expect(answer("RTP/AVP/TCP;interleaved=\(wanted)") == "461", "\(wanted)")
        }
        #expect(answer("RTP/AVP/TCP;interleaved=0-1") == "RTP/AVP/TCP;unicast;interleaved=0-1")
    }

    @Test("R-41: channels and UDP ports that cannot be read make an alternative unacceptable, and no other one")
    func unreadable() {
        for parameter in [
            "/TCP;unicast;interleaved=300-301", "/TCP;interleaved=", "/TCP;interleaved=a-b", "/TCP;interleaved=0-256",
            ";unicast;client_port=99999-100000", ";unicast;client_port=6-7;client_port=x", ";multicast;port=70000",
        ] {
            #expect(answer("RTP/AVP\(parameter)") == "461", "\(parameter)")
            let both = answer("RTP/AVP\(parameter),RTP/AVP/TCP;unicast;interleaved=4-5")
            #expect(both == "RTP/AVP/TCP;unicast;interleaved=4-5", "\(parameter)")
        }
    }

    @Test("R-42: RTP/SAVP is refused, since there are no keys; RTP/AVPF is not")
    func profiles() {
        #expect(answer("RTP/SAVP;unicast;client_port=6-7") == "461")
        #expect(answer("RTP/SAVPF/TCP;unicast;interleaved=0-1") == "461")
        #expect(answer("RTP/AVPF;unicast;client_port=6-7").hasPrefix("RTP/AVPF;unicast;"))
    }

    @Test("R-42: what comes encrypted is offered inside TLS only")
    mutating func encrypted() {
        offer.withholdClear(isSecure: true)
        #expect(answer("RTP/AVP;unicast;client_port=6-7") == "461")
        #expect(answer("RTP/AVP;multicast") == "461")
        #expect(answer("RTP/AVP;unicast;client_port=6-7,RTP/AVP/TCP;interleaved=0-1").hasPrefix("RTP/AVP/TCP;"))
        offer.withholdClear(isSecure: false)
        #expect(answer("RTP/AVP/TCP;unicast;interleaved=0-1") == "461")
    }

    @Test("R-43: source and destination in IPv6")
    mutating func ipv6() throws {
        let peer = try #require(IPAddress("2001:db8::5"))
        offer.peer = peer
        let text = "RTP/AVP;unicast;destination=[2001:db8::5];client_port=6-7"
        #expect(
            answer(text, source: IPAddress("2001:db8::1"))
                == "RTP/AVP;unicast;destination=2001:db8::5;source=2001:db8::1;client_port=6-7;server_port=20000-20001")
    }

    @Test("A publisher names its own UDP ports, and RECORD or nothing as the mode")
    mutating func recording() throws {
        offer.isRecording = true
        let choice = try offer.choose(from: ["Transport": "RTP/AVP/UDP;unicast;client_port=6-7;mode=receive"])
        #expect(choice.transport == .udp(address: Self.peer, rtpUDPPort: 6, rtcpUDPPort: 7))
        #expect(
            choice.answer(serverUDPPort: 20_000)
                == "RTP/AVP;unicast;client_port=6-7;server_port=20000-20001;mode=\"RECORD\"")
        #expect(answer("RTP/AVP/TCP;unicast;interleaved=0-1") == "RTP/AVP/TCP;unicast;interleaved=0-1")
        #expect(answer("RTP/AVP;unicast;client_port=6-7;mode=PLAY") == "461")
        #expect(answer("RTP/AVP;multicast;mode=RECORD") == "461")
    }
}
