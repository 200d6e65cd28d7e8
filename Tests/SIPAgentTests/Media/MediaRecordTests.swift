// A call's media over a restart.

import AgentSupport
import Foundation
import Logging
import RTPWire
import Routing
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Media of a call in the journal") @AgentActor struct MediaRecordTests {
    /// The record as a file has it.
    private static func stored(_ record: CallMediaRecord?) throws -> CallMediaRecord {
        try JSONDecoder().decode(CallMediaRecord.self, from: JSONEncoder().encode(try #require(record)))
    }

    private static func adopt(_ record: CallMediaRecord, _ bench: MediaBench) async throws -> CallMedia {
        let context = MediaContext(
            routing: bench.routes, udpPorts: 20_000...20_999, agent: "node.studio", logger: Logger(label: "test"))
        return try await CallMedia(
            adopting: record, context: context, caller: MediaBench.peer(MediaBench.callerAddress),
            callee: MediaBench.peer(MediaBench.calleeAddress))
    }

    @Test("A call is gone on with: nothing of its routes is touched, and it can be changed and ended")
    func adoption() async throws {
        let bench = MediaBench()
        try await { _ = try await bench.establish() }()
        let record = try Self.stored(bench.media.record)
        #expect(record.routeNames == Set(await bench.routes.table.keys))
        let before = await bench.routes.summary
        await bench.routes.forgetEvents()
        let media = try await Self.adopt(record, bench)
        #expect(await bench.routes.events.isEmpty)
        #expect(media.record == record)
        let branch = try #require(media.chosen)
        try media.receiveOffer(
            MediaBench.sdp("10.1.0.5", version: 2, "m=audio 4000 RTP/AVP 0", "a=sendonly"), from: .caller, on: branch)
        _ = try await media.offer(to: .callee, on: branch)
        _ = try await media.receiveAnswer(
            MediaBench.sdp("10.2.0.5", version: 2, "m=audio 6000 RTP/AVP 0", "a=recvonly"), from: .callee, on: branch)
        #expect(await bench.routes.summary["sip.c.0.callee.rtp"] == [])
        #expect(await bench.routes.summary["sip.c.0.caller.rtp"] == before["sip.c.0.caller.rtp"])
        // New UDP ports are none that the call has.
        let other = MediaBench.sdp(
            "10.1.0.5", version: 3, "m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 96")
        try media.receiveOffer(other, from: .caller, on: branch)
        _ = try await media.offer(to: .callee, on: branch)
        #expect(await bench.routes.reservations.count == 6)
        await media.end()
        #expect(await bench.routes.table.isEmpty)
    }

    @Test(
        "What was lost or half done is repaired: routes that are gone are made again, and a leg that was not yet changed is"
    )
    func repair() async throws {
        let bench = MediaBench()
        _ = try await bench.establish()
        let record = try Self.stored(bench.media.record)
        let before = await bench.routes.summary
        try await bench.routes.remove(route: "sip.c.0.caller.rtp")
        let media = try await Self.adopt(record, bench)
        #expect(await bench.routes.summary == before)
        await media.end()
        #expect(await bench.routes.table.isEmpty)
    }

    @Test("A record whose routes cannot be had is refused, and leaves nothing behind")
    func refused() async throws {
        let bench = MediaBench()
        _ = try await bench.establish()
        let record = try Self.stored(bench.media.record)
        await bench.media.end()
        await bench.routes.refuse(RoutingError(.capacity, "the flow table is full"))
        let refusal = await bench.refusal { _ = try await Self.adopt(record, bench) }
        #expect(refusal?.status.code == 503)
        #expect(await bench.routes.isEmpty)
    }

    @Test("There is no record before the callee is chosen")
    func early() async throws {
        let bench = MediaBench()
        try bench.media.receiveOffer(MediaBench.offer, from: .caller)
        let branch = bench.media.addBranch(towards: MediaBench.peer(MediaBench.calleeAddress))
        _ = try await bench.media.offer(to: .callee, on: branch)
        _ = try await bench.media.receiveAnswer(MediaBench.answer, from: .callee, on: branch)
        #expect(bench.media.record == nil)
        try await bench.media.choose(branch)
        #expect(bench.media.record != nil)
    }
}
