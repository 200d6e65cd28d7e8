// What is not relayed, and what is relayed with care.

import AgentSupport
import RTPWire
import Routing
import SDP
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Policy of calls' media") @AgentActor struct MediaPolicyTests {
    private static let secured = [
        "m=audio 4000 RTP/SAVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
    ]

    private static func securedSDP(_ address: String, _ udpPort: Int) -> [UInt8] {
        MediaBench.sdp(address, "m=audio \(udpPort) RTP/SAVP 0", secured[1])
    }

    @Test(
        "O-08: secured media are refused where a hop is not TLS",
        arguments: [(true, false), (false, true), (false, false)])
    func keys(callerIsSecure: Bool, calleeIsSecure: Bool) async throws {
        let bench = MediaBench(caller: MediaBench.peer(MediaBench.callerAddress, isSecure: callerIsSecure))
        try bench.media.receiveOffer(Self.securedSDP("10.1.0.5", 4000), from: .caller)
        let branch = bench.media.addBranch(
            towards: MediaBench.peer(MediaBench.calleeAddress, isSecure: calleeIsSecure))
        let refusal = await bench.refusal { _ = try await bench.media.offer(to: .callee, on: branch) }
        #expect(refusal?.summary == "488 305")
        #expect(await bench.routes.reservations.isEmpty)
    }

    @Test("O-08: between TLS hops keys pass as they are, and secured RTCP is not looked into")
    func keysRelayed() async throws {
        let bench = MediaBench(caller: MediaBench.peer(MediaBench.callerAddress, isSecure: true))
        try bench.media.receiveOffer(Self.securedSDP("10.1.0.5", 4000), from: .caller)
        let branch = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress, isSecure: true))
        let offer = try await bench.media.offer(to: .callee, on: branch)
        #expect(String(decoding: offer, as: UTF8.self).contains(Self.secured[1]))
        let answer = try await bench.media.receiveAnswer(
            Self.securedSDP("10.2.0.5", 6000), from: .callee, on: branch)
        #expect(String(decoding: answer, as: UTF8.self).contains(Self.secured[1]))
        let table = await bench.routes.table
        #expect(table["sip.c.0.caller.rtp"]?.specification.payload == .rtp)
        #expect(table["sip.c.0.caller.rtcp"]?.specification.payload == .raw)
    }

    @Test("O-09: ICE is removed from both descriptions")
    func ice() async throws {
        let bench = MediaBench()
        let candidate = "a=candidate:1 1 UDP 2130706431 10.1.0.5 4000 typ host"
        try bench.media.receiveOffer(
            MediaBench.sdp("10.1.0.5", "m=audio 4000 RTP/AVP 0", candidate, "a=ice-ufrag:abcd"), from: .caller)
        let branch = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress))
        let offer = String(decoding: try await bench.media.offer(to: .callee, on: branch), as: UTF8.self)
        #expect(!offer.contains("candidate") && !offer.contains("ice-") && !offer.contains("10.1.0.5"))
    }

    @Test(
        "Legs open to no address that a peer may not use",
        arguments: ["127.0.0.1", "255.255.255.255", "224.0.0.251", "10.9.0.5", "studio.example"])
    func addresses(address: String) async throws {
        let bench = MediaBench(
            caller: MediaBench.peer(MediaBench.callerAddress) { $0 != IPAddress(10, 9, 0, 5) })
        let body = MediaBench.sdp("10.1.0.5", "m=audio 4000 RTP/AVP 0", "c=IN IP4 \(address)")
        let refusal = await bench.refusal { try bench.media.receiveOffer(body, from: .caller) }
        #expect(refusal?.summary == "488 399")
        let rtcp = MediaBench.sdp("10.1.0.5", "m=audio 4000 RTP/AVP 0", "a=rtcp:4001 IN IP4 \(address)")
        if IPAddress(address) != nil {
            #expect(await bench.refusal { try bench.media.receiveOffer(rtcp, from: .caller) }?.summary == "488 399")
        }
    }

    @Test(
        "Neither side's media may be this node itself, nor where no way leads: what was offered is refused in the answer"
    )
    func node() async throws {
        for address in ["10.2.0.1", "10.99.0.1"] {
            let bench = MediaBench()
            try bench.media.receiveOffer(MediaBench.offer, from: .caller)
            let branch = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress))
            _ = try await bench.media.offer(to: .callee, on: branch)
            let refusal = await bench.refusal {
                _ = try await bench.media.receiveAnswer(
                    MediaBench.sdp(address, "m=audio 6000 RTP/AVP 0"), from: .callee, on: branch)
            }
            #expect(refusal?.summary == "488 399")
            #expect(await bench.routes.table.isEmpty)
        }
    }

    @Test("What is no session description gets 400; too many media get 488; a wrong answer gets 488")
    func refused() async throws {
        let bench = MediaBench(policy: MediaPolicy(maximumMedia: 2))
        #expect(
            await bench.refusal { try bench.media.receiveOffer(Array("hello".utf8), from: .caller) }?.status.code == 400
        )
        let three = MediaBench.sdp(
            "10.1.0.5", "m=audio 4000 RTP/AVP 0", "m=audio 4002 RTP/AVP 0", "m=audio 4004 RTP/AVP 0")
        #expect(await bench.refusal { try bench.media.receiveOffer(three, from: .caller) }?.summary == "488 304")
        try bench.media.receiveOffer(MediaBench.offer, from: .caller)
        let branch = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress))
        _ = try await bench.media.offer(to: .callee, on: branch)
        let refusal = await bench.refusal {
            _ = try await bench.media.receiveAnswer(
                MediaBench.sdp("10.2.0.5", "m=video 6000 RTP/AVP 0"), from: .callee, on: branch)
        }
        #expect(refusal?.summary == "488 304")
        #expect(await bench.routes.table.isEmpty)
    }

    @Test("O-05, O-10: a group that is offered is joined on its side with its source, and sent on to the other side")
    func group() async throws {
        let bench = MediaBench()
        let branch = try await bench.establish(
            offer: MediaBench.sdp(
                "10.1.0.5", "m=audio 5004 RTP/AVP 97", "c=IN IP4 239.1.2.3/32", "a=rtpmap:97 L24/48000/2",
                "a=source-filter: incl IN IP4 239.1.2.3 10.1.0.5", "a=sendonly"),
            answer: MediaBench.sdp("10.2.0.5", "m=audio 6000 RTP/AVP 97", "a=rtpmap:97 L24/48000/2", "a=recvonly"))
        #expect(
            await bench.routes.summary == [
                "sip.c.0.caller.rtp": [
                    "10.1.0.5:*>239.1.2.3:5004@eth0 -> 10.2.0.1:20000>10.2.0.5:6000@eth1"
                ],
                "sip.c.0.caller.rtcp": [
                    "10.1.0.5:*>239.1.2.3:5005@eth0 -> 10.2.0.1:20001>10.2.0.5:6001@eth1"
                ],
                "sip.c.0.callee.rtp": [], "sip.c.0.callee.rtcp": [],
            ])
        #expect(await bench.routes.table["sip.c.0.caller.rtp"]?.specification.clockRate == 48_000)
        let answer = try SessionDescription(
            parsing: try #require(bench.media.lastDescription(to: .caller, on: branch)))
        #expect(answer.media[0].udpPort == 5004 && answer.media[0].connection?.address == "239.1.2.3")
        #expect(answer.media[0].connection?.ttl == 32 && answer.media[0].direction == .receiveOnly)
        #expect(await bench.routes.reservations.count == 2)
    }

    @Test("O-05: media for a group that is wanted go there, with its time to live")
    func wantedGroup() async throws {
        let bench = MediaBench()
        _ = try await bench.establish(
            offer: MediaBench.sdp(
                "10.1.0.5", "m=audio 5004 RTP/AVP 0", "c=IN IP4 239.1.2.3/32", "a=recvonly"),
            answer: MediaBench.sdp("10.2.0.5", "m=audio 6000 RTP/AVP 0", "a=sendonly"))
        let legs = try #require(await bench.routes.table["sip.c.0.callee.rtp"]?.legs.map(\.specification))
        #expect(legs.map(\.address) == [IPAddress(239, 1, 2, 3)] && legs.map(\.timeToLive) == [.set(32)])
        #expect(legs.map(\.port.interface) == ["eth0"])
    }

    @Test("O-05: several groups for one medium are refused, and so is a group in an answer to a unicast offer")
    func refusedGroups() async throws {
        let bench = MediaBench()
        try bench.media.receiveOffer(
            MediaBench.sdp("10.1.0.5", "m=video 5004 RTP/AVP 96", "c=IN IP4 239.1.2.3/32/3", "a=sendonly"),
            from: .caller)
        let branch = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress))
        #expect(await bench.refusal { _ = try await bench.media.offer(to: .callee, on: branch) }?.summary == "488 399")
        try bench.media.receiveOffer(MediaBench.offer, from: .caller)
        let other = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress))
        _ = try await bench.media.offer(to: .callee, on: other)
        let refusal = await bench.refusal {
            _ = try await bench.media.receiveAnswer(
                MediaBench.sdp("10.2.0.5", "m=audio 5004 RTP/AVP 0", "c=IN IP4 239.1.2.3/32"), from: .callee, on: other)
        }
        #expect(refusal?.summary == "488 399")
    }
}
