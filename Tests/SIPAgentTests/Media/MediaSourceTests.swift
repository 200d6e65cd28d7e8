// Where a call's packets come from, and whether they come.

import AgentSupport
import RTPWire
import Routing
import SIPCore
import Sessions
import Testing

@testable import SIPAgent

@Suite("Sources of calls' media") @AgentActor struct MediaSourceTests {
    nonisolated private static let behindNAT = IPAddress(10, 1, 0, 77)

    private static func progress(payloadType: UInt8, packets: UInt64 = 1) -> FlowProgress {
        FlowProgress(packets: packets, hasRTP: true, payloadType: payloadType)
    }

    @Test("Sources by address take whatever UDP port")
    func address() async throws {
        let bench = MediaBench(caller: MediaBench.peer(MediaBench.callerAddress, sources: .address))
        _ = try await bench.establish()
        #expect(await bench.routes.source("sip.c.0.caller.rtp") == "10.1.0.5:*>10.1.0.1:20002@eth0")
    }

    @Test("M-09: a source is learned once from the first packet, and media go back to it")
    func learned() async throws {
        let bench = MediaBench(caller: MediaBench.peer(MediaBench.callerAddress, sources: .learn))
        let branch = try await bench.establish()
        #expect(await bench.routes.source("sip.c.0.caller.rtp") == "10.1.0.5:*>10.1.0.1:20002@eth0")
        await bench.routes.setProgress(Self.progress(payloadType: 0), of: "sip.c.0.caller.rtp")
        await bench.routes.tell(firstPacketOf: "sip.c.0.caller.rtp", from: MediaBench.callerAddress, udpPort: 4567)
        #expect(
            await eventually {
                await bench.routes.source("sip.c.0.caller.rtp") == "10.1.0.5:4567>10.1.0.1:20002@eth0"
            })
        #expect(
            await eventually {
                await bench.routes.summary["sip.c.0.callee.rtp"]?.first?.hasSuffix("10.1.0.1:20002>10.1.0.5:4567@eth0")
                    == true
            })
        // Once: neither another packet nor an unchanged offer asks again.
        await bench.routes.tell(firstPacketOf: "sip.c.0.caller.rtp", from: MediaBench.callerAddress, udpPort: 5)
        try await bench.change(branch, offer: MediaBench.offer, answer: MediaBench.answer)
        #expect(await bench.routes.source("sip.c.0.caller.rtp") == "10.1.0.5:4567>10.1.0.1:20002@eth0")
        #expect(bench.media.learned.count == 1)
    }

    @Test("M-09: a peer that signals from another address than it names is learned there; the one that it names goes")
    func learnedElsewhere() async throws {
        let bench = MediaBench(caller: MediaBench.peer(Self.behindNAT, sources: .learn))
        _ = try await bench.establish()
        #expect(await bench.routes.source("sip.c.0.caller.rtp") == "10.1.0.5:4000>10.1.0.1:20002@eth0")
        #expect(await bench.routes.source("sip.c.0.caller.rtp-1") == "10.1.0.77:*>10.1.0.1:20002@eth0")
        await bench.routes.setProgress(Self.progress(payloadType: 0), of: "sip.c.0.caller.rtp-1")
        await bench.routes.tell(firstPacketOf: "sip.c.0.caller.rtp-1", from: Self.behindNAT, udpPort: 4567)
        #expect(
            await eventually {
                await bench.routes.source("sip.c.0.caller.rtp-1") == "10.1.0.77:4567>10.1.0.1:20002@eth0"
            })
        #expect(await bench.routes.source("sip.c.0.caller.rtp") == nil)
        #expect(
            await bench.routes.summary["sip.c.0.callee.rtp"]?.first?.hasSuffix("10.1.0.1:20002>10.1.0.77:4567@eth0")
                == true)
    }

    @Test("M-09: a payload type that was not negotiated decides nothing; the next packet may")
    func otherPayloadType() async throws {
        let bench = MediaBench(caller: MediaBench.peer(MediaBench.callerAddress, sources: .learn))
        _ = try await bench.establish()
        await bench.routes.setProgress(Self.progress(payloadType: 33), of: "sip.c.0.caller.rtp")
        await bench.routes.tell(firstPacketOf: "sip.c.0.caller.rtp", from: MediaBench.callerAddress, udpPort: 6)
        #expect(await eventually { await bench.routes.source("sip.c.0.caller.rtp") == nil })
        #expect(
            await eventually { await bench.routes.source("sip.c.0.caller.rtp-1") == "10.1.0.5:*>10.1.0.1:20002@eth0" })
        await bench.routes.setProgress(Self.progress(payloadType: 0), of: "sip.c.0.caller.rtp-1")
        await bench.routes.tell(firstPacketOf: "sip.c.0.caller.rtp-1", from: MediaBench.callerAddress, udpPort: 4567)
        #expect(
            await eventually {
                await bench.routes.source("sip.c.0.caller.rtp-1") == "10.1.0.5:4567>10.1.0.1:20002@eth0"
            })
    }

    @Test("M-09: after the time for learning the source is what was signalled")
    func expiry() async throws {
        let bench = MediaBench(
            caller: MediaBench.peer(Self.behindNAT, sources: .learn), policy: MediaPolicy(learning: 0))
        _ = try await bench.establish()
        #expect(await eventually { await bench.routes.source("sip.c.0.caller.rtp-1") == nil })
        #expect(await bench.routes.source("sip.c.0.caller.rtp") == "10.1.0.5:4000>10.1.0.1:20002@eth0")
        await bench.routes.tell(firstPacketOf: "sip.c.0.caller.rtp-1", from: Self.behindNAT, udpPort: 4567)
        #expect(await bench.routes.source("sip.c.0.caller.rtp") == "10.1.0.5:4000>10.1.0.1:20002@eth0")
    }

    @Test(
        "D-08: a private c= of a device that signals from elsewhere is taken, and media go where the device's come from"
    )
    func privatePlace() async throws {
        let offer = MediaBench.sdp("192.168.77.7", "m=audio 4000 RTP/AVP 0 8 101", "a=rtpmap:101 telephone-event/8000")
        @Sendable func allows(_ address: IPAddress) -> Bool { address == Self.behindNAT }
        let strict = MediaBench(caller: MediaBench.peer(Self.behindNAT, allows: allows))
        #expect(await strict.refusal { _ = try await strict.establish(offer: offer) }?.status.code == 488)
        // A place that is nobody's private one is somebody else's.
        let other = MediaBench(caller: MediaBench.peer(Self.behindNAT, sources: .learn, allows: allows))
        let elsewhere = MediaBench.sdp("192.0.2.7", "m=audio 4000 RTP/AVP 0 8 101")
        #expect(await other.refusal { _ = try await other.establish(offer: elsewhere) }?.status.code == 488)
        let bench = MediaBench(
            caller: MediaBench.peer(Self.behindNAT, sources: .learn, allows: allows), policy: MediaPolicy(learning: 0))
        _ = try await bench.establish(offer: offer)
        #expect(await bench.routes.source("sip.c.0.caller.rtp") == "10.1.0.77:*>10.1.0.1:20002@eth0")
        #expect(await bench.routes.summary["sip.c.0.callee.rtp"]?.isEmpty == true)
        // It has no other place: it is waited for beyond the time in which another peer would have to send.
        await bench.media.look(at: [:], now: MonotonicClock.now + 60_000_000_000)
        await bench.routes.setProgress(Self.progress(payloadType: 0), of: "sip.c.0.caller.rtp")
        await bench.routes.tell(firstPacketOf: "sip.c.0.caller.rtp", from: Self.behindNAT, udpPort: 4567)
        #expect(
            await eventually {
                await bench.routes.summary["sip.c.0.callee.rtp"]?.first?.hasSuffix("10.1.0.1:20002>10.1.0.77:4567@eth0")
                    == true
            })
        #expect(await bench.routes.source("sip.c.0.caller.rtp") == "10.1.0.77:4567>10.1.0.1:20002@eth0")
        let sent = await bench.routes.summary.values.flatMap { $0 }
        #expect(!sent.contains { $0.contains("192.168.77.7") }, "\(sent)")
    }

    @Test("M-18: silence is judged by the directions that were negotiated")
    func silence() async throws {
        let bench = MediaBench(policy: MediaPolicy(silence: 0, abandonment: 0))
        let branch = try await bench.establish()
        #expect(await eventually { bench.events.contains(.state(.noMedia)) && bench.events.contains(.abandoned) })
        // A packet from the future is the only one that is younger than nothing.
        await bench.routes.setProgress(FlowProgress(packets: 1, lastArrival: .max), of: "sip.c.0.caller.rtp")
        #expect(await eventually { bench.events.last == .state(.oneWay) })
        #expect(await bench.media.streams().map(\.state) == ["one-way", "one-way"])
        // One way was agreed on now: the callee has nothing to send.
        try await bench.change(
            branch, offer: MediaBench.sdp("10.1.0.5", version: 2, "m=audio 4000 RTP/AVP 0", "a=sendonly"),
            answer: MediaBench.sdp("10.2.0.5", version: 2, "m=audio 6000 RTP/AVP 0", "a=recvonly"))
        #expect(await eventually { bench.events.last == .state(.ok) })
    }

    @Test("D-10: a call of peers that vanished is ended, and one of peers that are silent and send RTCP is not")
    func vanished() async throws {
        let bench = MediaBench(policy: MediaPolicy(abandonment: 300))
        _ = try await bench.establish()
        let now = MonotonicClock.now + 301_000_000_000
        await bench.routes.setProgress(
            FlowProgress(packets: 9, lastArrival: now - 5_000_000_000), of: "sip.c.0.callee.rtcp")
        await bench.media.look(at: [:], now: now)
        #expect(!bench.events.contains(.abandoned))
        await bench.media.look(at: [:], now: now + 300_000_000_000)
        #expect(bench.events.contains(.abandoned))
    }

    @Test("Both directions are reported with loss and jitter, their routes and where they go")
    func streams() async throws {
        let bench = MediaBench()
        _ = try await bench.establish()
        await bench.routes.setProgress(
            FlowProgress(
                packets: 90, bytes: 9000, hasRTP: true, lastArrival: 1, expected: 100, received: 90, jitter: 2_000_000),
            of: "sip.c.0.callee.rtp")
        let streams = await bench.media.streams()
        #expect(
            streams.map(\.from) == ["caller", "callee"] && streams.map(\.to) == ["10.2.0.5:6000", "10.1.0.5:4000"])
        #expect(streams.map(\.address) == ["10.1.0.5:4000", "10.2.0.5:6000"])
        #expect(streams.map(\.rtcpRoute) == ["sip.c.0.caller.rtcp", "sip.c.0.callee.rtcp"])
        #expect(streams.map(\.leg) == [1, 1] && streams.map(\.media) == ["audio", "audio"])
        #expect(streams[1].reception?.lostPackets == 10 && streams[1].reception?.jitter == 0.002)
        #expect(streams[0].reception?.lastArrival == nil)
    }
}
