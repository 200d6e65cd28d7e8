// A call's descriptions and routes, from the first offer to the end.

import AgentSupport
import RTPWire
import Routing
import SDP
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Media of a call") @AgentActor struct MediaCallTests {
    private static let callerRTP = "10.1.0.5:4000>10.1.0.1:20002@eth0"
    private static let calleeRTP = "10.2.0.5:6000>10.2.0.1:20000@eth1"

    @Test("O-01, M-09: RTP and RTCP pass both ways, each from the UDP port where the node receives from that peer")
    func basic() async throws {
        let bench = MediaBench()
        try bench.media.receiveOffer(MediaBench.offer, from: .caller)
        let branch = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress))
        let offer = try SessionDescription(parsing: try await bench.media.offer(to: .callee, on: branch))
        #expect(offer.connection?.address == "10.2.0.1" && offer.origin?.address == "10.2.0.1")
        #expect(offer.media.map(\.udpPort) == [20_000] && offer.media[0].formats == ["0", "8", "101"])
        #expect(await bench.routes.table.isEmpty)
        #expect(await bench.routes.reservations.keys.map(\.udpPort).sorted() == [20_000, 20_001])
        let answer = try SessionDescription(
            parsing: try await bench.media.receiveAnswer(MediaBench.answer, from: .callee, on: branch))
        #expect(answer.connection?.address == "10.1.0.1" && answer.origin?.address == "10.1.0.1")
        #expect(answer.media.map(\.udpPort) == [20_002] && answer.media[0].formats == ["0", "101"])
        #expect(
            await bench.routes.summary == [
                "sip.c.0.caller.rtp": ["\(Self.callerRTP) -> 10.2.0.1:20000>10.2.0.5:6000@eth1"],
                "sip.c.0.caller.rtcp": [
                    "10.1.0.5:4001>10.1.0.1:20003@eth0 -> 10.2.0.1:20001>10.2.0.5:6001@eth1"
                ],
                "sip.c.0.callee.rtp": ["\(Self.calleeRTP) -> 10.1.0.1:20002>10.1.0.5:4000@eth0"],
                "sip.c.0.callee.rtcp": [
                    "10.2.0.5:6001>10.2.0.1:20001@eth1 -> 10.1.0.1:20003>10.1.0.5:4001@eth0"
                ],
            ])
        let table = await bench.routes.table
        #expect(table.values.allSatisfy { $0.owner == .session })
        #expect(table["sip.c.0.caller.rtp"]?.specification.clockRate == 8000)
        #expect(table["sip.c.0.caller.rtcp"]?.specification.payload == .rtcp)
    }

    @Test("S-30: the end removes each route once and gives back every UDP port, and is the same when it is repeated")
    func end() async throws {
        let bench = MediaBench()
        _ = try await bench.establish()
        await bench.routes.setProgress(
            FlowProgress(
                packets: 90, bytes: 9000, hasRTP: true, lastArrival: 1, expected: 100, received: 90, jitter: 2_000_000),
            of: "sip.c.0.caller.rtp")
        await bench.routes.forgetEvents()
        async let one = bench.media.end()
        async let other = bench.media.end()
        let results = await [one, other]
        #expect(results[0] == results[1])
        #expect(results[0].map(\.from) == [.caller, .callee])
        #expect(results[0][0].lostPackets == 10 && results[0][0].packets == 90 && results[0][0].jitter == 0.002)
        #expect(results[0][0].kind == "audio")
        #expect(await bench.routes.table.isEmpty)
        #expect(await bench.routes.reservations.isEmpty)
        #expect(await bench.routes.events.count == 4)
        #expect(bench.media.record == nil)
    }

    @Test("After the end nothing is installed any more, by a late answer neither")
    func late() async throws {
        let bench = MediaBench()
        try bench.media.receiveOffer(MediaBench.offer, from: .caller)
        let branch = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress))
        _ = try await bench.media.offer(to: .callee, on: branch)
        await bench.media.end()
        let refusal = await bench.refusal {
            _ = try await bench.media.receiveAnswer(MediaBench.answer, from: .callee, on: branch)
        }
        #expect(refusal?.status.code == 481)
        #expect(await bench.routes.table.isEmpty)
        #expect(await bench.routes.reservations.isEmpty)
    }

    @Test("UDP ports that another program holds are passed over; without any left the offer is refused with 503")
    func udpPorts() async throws {
        let bench = MediaBench(udpPorts: 20_000...20_003)
        await bench.routes.hold([20_001])
        try bench.media.receiveOffer(MediaBench.offer, from: .caller)
        let branch = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress))
        let offer = try SessionDescription(parsing: try await bench.media.offer(to: .callee, on: branch))
        #expect(offer.media[0].udpPort == 20_002)
        let other = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress))
        let refusal = await bench.refusal { _ = try await bench.media.offer(to: .callee, on: other) }
        #expect(refusal?.status.code == 503)
        await bench.media.endBranch(branch)
        await bench.media.endBranch(other)
        #expect(await bench.routes.reservations.isEmpty)
    }

    @Test("O-01: a medium that the callee refuses stays so, and has neither UDP ports nor routes")
    func refusedMedium() async throws {
        let bench = MediaBench()
        _ = try await bench.establish(
            offer: MediaBench.sdp("10.1.0.5", "m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 96"),
            answer: MediaBench.sdp("10.2.0.5", "m=audio 6000 RTP/AVP 0", "m=video 0 RTP/AVP 96"))
        #expect(await bench.routes.table.count == 4)
        #expect(await bench.routes.reservations.count == 4)
    }

    @Test("O-02: an answer that is repeated changes nothing and is given again; an unchanged offer is told as such")
    func repeated() async throws {
        let bench = MediaBench()
        let branch = try await bench.establish()
        await bench.routes.forgetEvents()
        let again = try await bench.media.receiveAnswer(MediaBench.answer, from: .callee, on: branch)
        #expect(again == bench.media.lastDescription(to: .caller, on: branch))
        #expect(try bench.media.receiveOffer(MediaBench.offer, from: .caller, on: branch) == .unchanged)
        bench.media.withdrawOffer(on: branch)
        #expect(bench.media.lastDescription(to: .caller, on: branch) == again)
        let (offer, answer) = try await bench.change(branch, offer: MediaBench.offer, answer: MediaBench.answer)
        #expect(answer.bytes == again)
        #expect(offer.origin?.sessionVersion == "1" && answer.origin?.sessionVersion == "1")
        #expect(await bench.routes.events.isEmpty)
    }

    @Test("S-29: another answer in 200 than in 183 takes its place until the callee is chosen, and none after")
    func otherAnswer() async throws {
        let bench = MediaBench()
        try bench.media.receiveOffer(MediaBench.offer, from: .caller)
        let branch = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress))
        _ = try await bench.media.offer(to: .callee, on: branch)
        let early = try await bench.media.receiveAnswer(
            MediaBench.sdp("10.2.0.9", "m=audio 7000 RTP/AVP 0"), from: .callee, on: branch)
        #expect(await bench.routes.source("sip.c.0.callee.rtp") == "10.2.0.9:7000>10.2.0.1:20000@eth1")
        let final = try await bench.media.receiveAnswer(MediaBench.answer, from: .callee, on: branch)
        #expect(final != early)
        #expect(try SessionDescription(parsing: final).media[0].udpPort == 20_002)
        try await bench.media.choose(branch)
        let late = try await bench.media.receiveAnswer(
            MediaBench.sdp("10.2.0.9", "m=audio 7000 RTP/AVP 0"), from: .callee, on: branch)
        #expect(late == final)
        let lines = await bench.routes.summary.values.flatMap { $0 }
        #expect(lines.count { $0.contains("-> 10.2.0.1:20000>10.2.0.5:6000") } == 1)
    }

    @Test("A delayed offer comes from the callee, and the caller answers it")
    func delayed() async throws {
        let bench = MediaBench()
        let branch = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress))
        try bench.media.receiveOffer(
            MediaBench.sdp("10.2.0.5", "m=audio 6000 RTP/AVP 0"), from: .callee, on: branch)
        let offer = try SessionDescription(parsing: try await bench.media.offer(to: .caller, on: branch))
        #expect(offer.connection?.address == "10.1.0.1" && offer.media[0].udpPort == 20_000)
        try await bench.media.choose(branch)
        let answer = try await bench.media.receiveAnswer(
            MediaBench.sdp("10.1.0.5", "m=audio 4000 RTP/AVP 0"), from: .caller, on: branch)
        #expect(try SessionDescription(parsing: answer).connection?.address == "10.2.0.1")
        #expect(
            await bench.routes.summary["sip.c.0.caller.rtp"] == [
                "10.1.0.5:4000>10.1.0.1:20000@eth0 -> 10.2.0.1:20002>10.2.0.5:6000@eth1"
            ])
    }

    @Test("The call goes on in IPv6 on the other side")
    func families() async throws {
        let bench = MediaBench()
        let callee = try #require(IPAddress("2001:db8:2::5"))
        _ = try await bench.establish(
            answer: MediaBench.sdp("2001:db8:2::5", "m=audio 6000 RTP/AVP 0"), callee: MediaBench.peer(callee))
        #expect(
            await bench.routes.summary["sip.c.0.caller.rtp"] == [
                "10.1.0.5:4000>10.1.0.1:20002@eth0 -> 2001:db8:2::1:20000>2001:db8:2::5:6000@eth1"
            ])
        #expect(
            await bench.routes.summary["sip.c.0.callee.rtp"] == [
                "2001:db8:2::5:6000>2001:db8:2::1:20000@eth1 -> 10.1.0.1:20002>10.1.0.5:4000@eth0"
            ])
    }

    @Test("O-05: media whose address lies elsewhere than the signalling pass where that address is")
    func elsewhere() async throws {
        let bench = MediaBench()
        _ = try await bench.establish(
            answer: MediaBench.sdp("10.2.0.5", "m=audio 6000 RTP/AVP 0", "c=IN IP4 10.3.0.9"))
        #expect(
            await bench.routes.summary["sip.c.0.callee.rtp"] == [
                "10.3.0.9:6000>10.2.0.1:20000@eth2 -> 10.1.0.1:20002>10.1.0.5:4000@eth0"
            ])
        #expect(
            await bench.routes.summary["sip.c.0.caller.rtp"]?.first?.hasSuffix("10.2.0.1:20000>10.3.0.9:6000@eth2")
                == true)
    }

    @Test("O-06: a=rtcp names another UDP port and address, on one side alone")
    func rtcpAttribute() async throws {
        let bench = MediaBench()
        _ = try await bench.establish(
            answer: MediaBench.sdp("10.2.0.5", "m=audio 6000 RTP/AVP 0", "a=rtcp:7777 IN IP4 10.2.0.6"))
        #expect(
            await bench.routes.summary["sip.c.0.callee.rtcp"] == [
                "10.2.0.6:7777>10.2.0.1:20001@eth1 -> 10.1.0.1:20003>10.1.0.5:4001@eth0"
            ])
        #expect(
            await bench.routes.summary["sip.c.0.caller.rtcp"] == [
                "10.1.0.5:4001>10.1.0.1:20003@eth0 -> 10.2.0.1:20001>10.2.0.6:7777@eth1"
            ])
    }

    @Test("O-06: RTP and RTCP share a UDP port where both sides have said so")
    func multiplexed() async throws {
        let bench = MediaBench()
        let branch = try await bench.establish(
            offer: MediaBench.sdp("10.1.0.5", "m=audio 4000 RTP/AVP 0", "a=rtcp-mux"),
            answer: MediaBench.sdp("10.2.0.5", "m=audio 6000 RTP/AVP 0", "a=rtcp-mux"))
        #expect(
            await bench.routes.summary == [
                "sip.c.0.caller.rtp": ["\(Self.callerRTP) -> 10.2.0.1:20000>10.2.0.5:6000@eth1"],
                "sip.c.0.callee.rtp": ["\(Self.calleeRTP) -> 10.1.0.1:20002>10.1.0.5:4000@eth0"],
            ])
        // Hold: what is left is RTCP.
        try await bench.change(
            branch,
            offer: MediaBench.sdp("10.1.0.5", version: 2, "m=audio 4000 RTP/AVP 0", "a=rtcp-mux", "a=inactive"),
            answer: MediaBench.sdp("10.2.0.5", version: 2, "m=audio 6000 RTP/AVP 0", "a=rtcp-mux", "a=inactive"))
        #expect(
            await bench.routes.summary == [
                "sip.c.0.caller.rtp": ["\(Self.callerRTP) -> 10.2.0.1:20000>10.2.0.5:6000@eth1 rtcp"],
                "sip.c.0.callee.rtp": ["\(Self.calleeRTP) -> 10.1.0.1:20002>10.1.0.5:4000@eth0 rtcp"],
            ])
    }

    @Test("O-06: multiplexing that is not answered leaves RTCP a UDP port of its own")
    func notMultiplexed() async throws {
        let bench = MediaBench()
        _ = try await bench.establish(
            offer: MediaBench.sdp("10.1.0.5", "m=audio 4000 RTP/AVP 0", "a=rtcp-mux"))
        #expect(await bench.routes.table.count == 4)
    }

    @Test("Media over UDP that are no RTP pass as they are, and media over TCP do not")
    func otherMedia() async throws {
        let bench = MediaBench()
        _ = try await bench.establish(
            offer: MediaBench.sdp("10.1.0.5", "m=image 4000 udptl t38", "m=message 4002 TCP/MSRP *"),
            answer: MediaBench.sdp("10.2.0.5", "m=image 6000 udptl t38", "m=message 0 TCP/MSRP *"))
        let table = await bench.routes.table
        #expect(table.keys.sorted() == ["sip.c.0.callee.rtp", "sip.c.0.caller.rtp"])
        #expect(table.values.allSatisfy { $0.specification.payload == .raw })
    }
}
