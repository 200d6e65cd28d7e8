// Changes of a call that stands.

import AgentSupport
import RTPWire
import Routing
import SDP
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Changes of a call's media") @AgentActor struct MediaChangeTests {
    private static func audio(_ address: String, _ udpPort: Int, version: Int, _ lines: String...) -> [UInt8] {
        var text = String(
            decoding: MediaBench.sdp(address, version: version, "m=audio \(udpPort) RTP/AVP 0"), as: UTF8.self)
        for line in lines { text += line + "\r\n" }
        return Array(text.utf8)
    }

    @Test(
        "O-03: hold stops RTP where it is to stop, keeps RTCP and the UDP ports, and resume has it pass again",
        arguments: [
            ("sendonly", "recvonly", 1, 0), ("inactive", "inactive", 0, 0), ("recvonly", "sendonly", 0, 1),
        ])
    func hold(held: String, answered: String, fromCaller: Int, fromCallee: Int) async throws {
        let bench = MediaBench()
        let branch = try await bench.establish()
        let before = await bench.routes.summary
        let (offer, answer) = try await bench.change(
            branch, offer: Self.audio("10.1.0.5", 4000, version: 2, "a=\(held)"),
            answer: Self.audio("10.2.0.5", 6000, version: 2, "a=\(answered)"))
        #expect(offer.media[0].udpPort == 20_000 && answer.media[0].udpPort == 20_002)
        let summary = await bench.routes.summary
        #expect(summary["sip.c.0.caller.rtp"]?.count == fromCaller)
        #expect(summary["sip.c.0.callee.rtp"]?.count == fromCallee)
        #expect(summary["sip.c.0.caller.rtcp"] == before["sip.c.0.caller.rtcp"])
        #expect(await bench.routes.reservations.count == 4)
        try await bench.change(
            branch, offer: Self.audio("10.1.0.5", 4000, version: 3), answer: Self.audio("10.2.0.5", 6000, version: 3))
        #expect(await bench.routes.summary == before)
    }

    @Test("O-03: c=0.0.0.0 stops RTP and RTCP towards the peer, whose packets are taken as before")
    func oldHold() async throws {
        let bench = MediaBench()
        let branch = try await bench.establish()
        let before = await bench.routes.summary
        try await bench.change(
            branch, offer: Self.audio("0.0.0.0", 4000, version: 2),
            answer: Self.audio("10.2.0.5", 6000, version: 2, "a=recvonly"))
        let summary = await bench.routes.summary
        #expect(summary["sip.c.0.callee.rtp"] == [] && summary["sip.c.0.callee.rtcp"] == [])
        #expect(summary["sip.c.0.caller.rtp"] == before["sip.c.0.caller.rtp"])
        #expect(summary["sip.c.0.caller.rtcp"] == before["sip.c.0.caller.rtcp"])
        try await bench.change(
            branch, offer: Self.audio("10.1.0.5", 4000, version: 3), answer: Self.audio("10.2.0.5", 6000, version: 3))
        #expect(await bench.routes.summary == before)
    }

    @Test(
        "O-04: media are taken from the old and the new UDP port until they come from the new one, and go to the new one at once"
    )
    func udpPortChange() async throws {
        let bench = MediaBench()
        let branch = try await bench.establish()
        try await bench.change(
            branch, offer: Self.audio("10.1.0.5", 4444, version: 2), answer: Self.audio("10.2.0.5", 6000, version: 2))
        let old = "10.1.0.5:4000>10.1.0.1:20002@eth0"
        let new = "10.1.0.5:4444>10.1.0.1:20002@eth0"
        #expect(await bench.routes.source("sip.c.0.caller.rtp") == old)
        #expect(await bench.routes.source("sip.c.0.caller.rtp-1") == new)
        for name in ["sip.c.0.caller.rtp", "sip.c.0.caller.rtp-1"] {
            #expect(await bench.routes.summary[name]?.first?.hasSuffix("-> 10.2.0.1:20000>10.2.0.5:6000@eth1") == true)
        }
        #expect(
            await bench.routes.summary["sip.c.0.callee.rtp"]?.first?.hasSuffix("10.1.0.1:20002>10.1.0.5:4444@eth0")
                == true)
        // Packets at the old one decide nothing.
        await bench.routes.tell(firstPacketOf: "sip.c.0.caller.rtp", from: MediaBench.callerAddress, udpPort: 4000)
        await bench.routes.tell(firstPacketOf: "sip.c.0.caller.rtp-1", from: MediaBench.callerAddress, udpPort: 4444)
        #expect(await eventually { await bench.routes.source("sip.c.0.caller.rtp") == nil })
        #expect(await bench.routes.source("sip.c.0.caller.rtp-1") == new)
        #expect(await eventually { bench.events == [.recordChanged] })
        // The old UDP port again is a new one now.
        try await bench.change(
            branch, offer: Self.audio("10.1.0.5", 4000, version: 3), answer: Self.audio("10.2.0.5", 6000, version: 3))
        #expect(await bench.routes.source("sip.c.0.caller.rtp-1") == new)
        #expect(await bench.routes.source("sip.c.0.caller.rtp-2") == old)
        #expect((await bench.media.end()).count == 2)
        #expect(await bench.routes.table.isEmpty)
    }

    @Test("O-04: that media come from the new UDP port is seen by their number too, where the event is lost")
    func lostEvent() async throws {
        let bench = MediaBench()
        let branch = try await bench.establish()
        try await bench.change(
            branch, offer: Self.audio("10.1.0.5", 4444, version: 2), answer: Self.audio("10.2.0.5", 6000, version: 2))
        await bench.routes.setProgress(FlowProgress(packets: 1), of: "sip.c.0.caller.rtp-1")
        await bench.routes.setProgress(FlowProgress(packets: 1), of: "sip.c.0.caller.rtcp-1")
        #expect(await eventually { await bench.routes.table.count == 4 })
        #expect(await bench.routes.source("sip.c.0.caller.rtp") == nil)
    }

    @Test("O-01, O-04: a medium is added at the end, and given up again")
    func addedMedium() async throws {
        let bench = MediaBench()
        let branch = try await bench.establish()
        try await bench.change(
            branch,
            offer: MediaBench.sdp("10.1.0.5", version: 2, "m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 96"),
            answer: MediaBench.sdp("10.2.0.5", version: 2, "m=audio 6000 RTP/AVP 0", "m=video 6002 RTP/AVP 96"))
        #expect(await bench.routes.table.count == 8)
        #expect(await bench.routes.reservations.count == 8)
        await bench.routes.forgetEvents()
        let (offer, _) = try await bench.change(
            branch, offer: MediaBench.sdp("10.1.0.5", version: 3, "m=audio 4000 RTP/AVP 0", "m=video 0 RTP/AVP 96"),
            answer: MediaBench.sdp("10.2.0.5", version: 3, "m=audio 6000 RTP/AVP 0", "m=video 0 RTP/AVP 96"))
        #expect(offer.media.map(\.udpPort) == [20_000, 0])
        #expect(await bench.routes.table.count == 4)
        #expect(await bench.routes.events.allSatisfy { $0.contains(".1.") })
        #expect(await bench.routes.reservations.count == 4)
    }

    @Test("O-07: a payload type that changes its meaning is refused, and nothing of the call changes")
    func payloadTypes() async throws {
        let bench = MediaBench()
        let branch = try await bench.establish()
        let before = await bench.routes.summary
        let refusal = await bench.refusal {
            try bench.media.receiveOffer(
                MediaBench.sdp("10.1.0.5", version: 2, "m=audio 4000 RTP/AVP 101", "a=rtpmap:101 L16/48000"),
                from: .caller, on: branch)
        }
        #expect(refusal?.summary == "488 305")
        #expect(await bench.routes.summary == before)
    }

    @Test("S-24: a re-INVITE that is refused leaves media and UDP ports as they were")
    func withdrawn() async throws {
        let bench = MediaBench()
        let branch = try await bench.establish()
        let before = await bench.routes.summary
        let record = bench.media.record
        try bench.media.receiveOffer(
            MediaBench.sdp("10.1.0.5", version: 2, "m=audio 4444 RTP/AVP 0", "m=video 4002 RTP/AVP 96"),
            from: .caller, on: branch)
        _ = try await bench.media.offer(to: .callee, on: branch)
        #expect(await bench.routes.reservations.count == 6)
        bench.media.withdrawOffer(on: branch)
        #expect(await eventually { await bench.routes.reservations.count == 4 })
        #expect(await bench.routes.summary == before)
        #expect(bench.media.record == record)
        // The next one is as good as the first.
        try await bench.change(
            branch, offer: Self.audio("10.1.0.5", 4000, version: 3, "a=sendonly"), from: .caller,
            answer: Self.audio("10.2.0.5", 6000, version: 2, "a=recvonly"))
        #expect(await bench.routes.summary["sip.c.0.callee.rtp"] == [])
    }

    @Test("S-24: where the fast path refuses a change, the answer is refused and everything is as it was")
    func refusedChange() async throws {
        let bench = MediaBench()
        let branch = try await bench.establish()
        let before = await bench.routes.summary
        await bench.routes.refuseLegs(to: IPAddress(10, 1, 0, 9))
        for offer in [Self.audio("10.1.0.9", 4000, version: 2), Self.audio("10.1.0.9", 4000, version: 3, "a=rtcp:5")] {
            let refusal = await bench.refusal {
                try await bench.change(branch, offer: offer, answer: Self.audio("10.2.0.5", 6000, version: 2))
            }
            #expect(refusal?.status.code == 500)
            #expect(await bench.routes.summary == before)
            bench.media.withdrawOffer(on: branch)
        }
        await bench.routes.refuse(RoutingError(.capacity, "the flow table is full"))
        let refusal = await bench.refusal {
            try await bench.change(
                branch, offer: Self.audio("10.1.0.5", 4444, version: 4),
                answer: Self.audio("10.2.0.5", 6000, version: 2))
        }
        #expect(refusal?.status.code == 503)
        #expect(await bench.routes.summary == before)
    }

    @Test("A peer whose media move to the other family gets other UDP ports; those of before are given back")
    func familyChange() async throws {
        let bench = MediaBench()
        let branch = try await bench.establish(
            callee: MediaBench.peer(MediaBench.calleeAddress))
        let (_, answer) = try await bench.change(
            branch, offer: Self.audio("2001:db8:2::7", 6060, version: 2), from: .callee,
            answer: Self.audio("10.1.0.5", 4000, version: 2))
        #expect(answer.connection?.address == "2001:db8:2::1")
        #expect(
            await bench.routes.summary.values.flatMap { $0 }.contains {
                $0.hasPrefix("2001:db8:2::7:6060>2001:db8:2::1:")
            })
        #expect(await bench.routes.table.count == 4)
        #expect(await bench.routes.reservations.count == 4)
        #expect(await bench.routes.reservations.keys.contains { $0.address == FakeRoutes.calleeNode } == false)
    }
}
