// Several callees of one call.

import AgentSupport
import RTPWire
import Routing
import SDP
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Media of forks") @AgentActor struct MediaForkTests {
    private static let other = IPAddress(10, 2, 0, 6)

    private static func answer(_ address: String, _ udpPort: Int) -> [UInt8] {
        MediaBench.sdp(address, "m=audio \(udpPort) RTP/AVP 0")
    }

    @Test(
        "S-29: branches have UDP ports of their own; the first to answer has the caller's media until another one is chosen"
    )
    func parallel() async throws {
        let bench = MediaBench()
        try bench.media.receiveOffer(MediaBench.offer, from: .caller)
        let first = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress))
        let second = bench.media.addBranch(towards: MediaBench.peer(Self.other))
        let offers = [
            try SessionDescription(parsing: try await bench.media.offer(to: .callee, on: first)),
            try SessionDescription(parsing: try await bench.media.offer(to: .callee, on: second)),
        ]
        #expect(offers.map(\.media[0].udpPort) == [20_000, 20_002])
        let early = try await bench.media.receiveAnswer(Self.answer("10.2.0.5", 6000), from: .callee, on: first)
        let won = try await bench.media.receiveAnswer(Self.answer("10.2.0.6", 7000), from: .callee, on: second)
        let answers = try [early, won].map { try SessionDescription(parsing: $0) }
        #expect(answers.map(\.media[0].udpPort) == [20_004, 20_004])
        #expect(answers[0].origin?.sessionIdentifier != answers[1].origin?.sessionIdentifier)
        #expect(await bench.routes.source("sip.c.0.callee.rtp") == "10.2.0.5:6000>10.2.0.1:20000@eth1")
        #expect(await bench.routes.table.count == 4)
        try await bench.media.choose(second)
        let lines = await bench.routes.summary.values.flatMap { $0 }.sorted()
        #expect(
            lines == [
                "10.1.0.5:4000>10.1.0.1:20004@eth0 -> 10.2.0.1:20002>10.2.0.6:7000@eth1",
                "10.1.0.5:4001>10.1.0.1:20005@eth0 -> 10.2.0.1:20003>10.2.0.6:7001@eth1",
                "10.2.0.6:7000>10.2.0.1:20002@eth1 -> 10.1.0.1:20004>10.1.0.5:4000@eth0",
                "10.2.0.6:7001>10.2.0.1:20003@eth1 -> 10.1.0.1:20005>10.1.0.5:4001@eth0",
            ])
        #expect(await bench.routes.reservations.keys.map(\.udpPort).sorted() == [20_002, 20_003, 20_004, 20_005])
        // A loser's late answer changes nothing.
        let refusal = await bench.refusal {
            _ = try await bench.media.receiveAnswer(Self.answer("10.2.0.5", 6000), from: .callee, on: first)
        }
        #expect(refusal?.status.code == 481)
        await bench.media.end()
        #expect(await bench.routes.isEmpty)
    }

    @Test("S-20: dialogs of one INVITE share its UDP ports and answer for themselves")
    func dialogs() async throws {
        let bench = MediaBench()
        try bench.media.receiveOffer(MediaBench.offer, from: .caller)
        let first = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress))
        _ = try await bench.media.offer(to: .callee, on: first)
        _ = try await bench.media.receiveAnswer(Self.answer("10.2.0.5", 6000), from: .callee, on: first)
        let second = bench.media.splitBranch(first)
        _ = try await bench.media.receiveAnswer(Self.answer("10.2.0.6", 7000), from: .callee, on: second)
        try await bench.media.choose(second)
        #expect(await bench.routes.table.count == 4)
        #expect(
            await bench.routes.summary.values.flatMap { $0 }.contains(
                "10.2.0.6:7000>10.2.0.1:20000@eth1 -> 10.1.0.1:20002>10.1.0.5:4000@eth0"))
        #expect(await bench.routes.reservations.count == 4)
        await bench.media.end()
        #expect(await bench.routes.reservations.isEmpty)
    }

    @Test(
        "A branch that is refused after early media ends them, and the next one has the same UDP ports towards the caller"
    )
    func sequential() async throws {
        let bench = MediaBench()
        try bench.media.receiveOffer(MediaBench.offer, from: .caller)
        let first = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress))
        _ = try await bench.media.offer(to: .callee, on: first)
        _ = try await bench.media.receiveAnswer(Self.answer("10.2.0.5", 6000), from: .callee, on: first)
        await bench.media.endBranch(first)
        await bench.media.endBranch(first)
        #expect(await bench.routes.table.isEmpty)
        let second = bench.media.addBranch(towards: MediaBench.peer(Self.other))
        _ = try await bench.media.offer(to: .callee, on: second)
        let answer = try await bench.media.receiveAnswer(Self.answer("10.2.0.6", 7000), from: .callee, on: second)
        #expect(try SessionDescription(parsing: answer).media[0].udpPort == 20_002)
        #expect(await bench.routes.table.count == 4)
    }
}
