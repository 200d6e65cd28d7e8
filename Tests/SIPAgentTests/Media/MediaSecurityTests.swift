// SRTP that ends at the node.

import AgentSupport
import KeyManagement
import RTPWire
import Routing
import SDP
import SIPCore
import SRTPKeys
import Testing

@testable import SIPAgent

@Suite("SRTP of calls that ends at the node") @AgentActor struct MediaSecurityTests {
    /// Keys of a peer, the first for RFC 4568's example.
    private static let keys = [
        "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj", "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
        "MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm",
    ]

    private static func crypto(_ tag: Int, key: Int = 0, suite: String = "AES_CM_128_HMAC_SHA1_80") -> String {
        "a=crypto:\(tag) \(suite) inline:\(keys[key])"
    }

    private static func secured(_ address: String, _ udpPort: Int, version: Int = 1, _ crypto: String) -> [UInt8] {
        MediaBench.sdp(address, version: version, "m=audio \(udpPort) RTP/SAVP 0", crypto)
    }

    private static func plain(_ address: String, _ udpPort: Int, version: Int = 1) -> [UInt8] {
        MediaBench.sdp(address, version: version, "m=audio \(udpPort) RTP/AVP 0")
    }

    private static func bench(_ isSecure: Bool = true) -> MediaBench {
        MediaBench(caller: MediaBench.peer(MediaBench.callerAddress, isSecure: isSecure))
    }

    private static func callee(_ protection: MediaProtection, isSecure: Bool = true) -> MediaPeer {
        var peer = MediaBench.peer(MediaBench.calleeAddress, isSecure: isSecure)
        peer.protection = protection
        return peer
    }

    /// What the callee of a bench is offered.
    private func offered(_ bench: MediaBench, _ offer: [UInt8], to callee: MediaPeer) async throws -> (
        MediaBranch, MediaDescription
    ) {
        try bench.media.receiveOffer(offer, from: .caller)
        let branch = bench.media.addBranch(towards: callee)
        let body = try await bench.media.offer(to: .callee, on: branch)
        return (branch, try SessionDescription(parsing: body).media[0])
    }

    private func answered(
        _ bench: MediaBench, _ branch: MediaBranch, _ answer: [UInt8]
    ) async throws -> MediaDescription {
        try SessionDescription(parsing: await bench.media.receiveAnswer(answer, from: .callee, on: branch)).media[0]
    }

    private static func attributes(_ medium: MediaDescription) -> [CryptoAttribute] {
        medium.attributes(named: "crypto").compactMap { try? CryptoAttribute($0) }
    }

    /// The names of the keys of a stream's source and of its leg.
    private static func keys(_ stream: PlannedStream) -> [String?] {
        [stream.source.srtp?.key, stream.legs.first?.srtp?.key]
    }

    /// The line of a peer that takes the offered suite of a tag, with a key of its own.
    private static func answer(taking offered: CryptoAttribute) -> String {
        let suite = offered.suite ?? .aesCM128HMACSHA1_80
        let key = SRTPKey(new: suite) { [UInt8](repeating: 0x77, count: $0) }
        return "a=crypto:" + CryptoAttribute(tag: offered.tag, key: key).value
    }

    @Test("O-08: where SRTP ends at the node, each side has keys with the node alone")
    func bothSides() async throws {
        let bench = Self.bench()
        let (branch, offer) = try await offered(
            bench, Self.secured("10.1.0.5", 4000, Self.crypto(7)), to: Self.callee(.offered))
        let lines = Self.attributes(offer)
        #expect(offer.transport == "RTP/SAVP" && lines.compactMap(\.suite) == SRTPProfile.preferred)
        #expect(!offer.lines.contains { $0.value.contains(Self.keys[0]) })
        let taken = try #require(lines.first { $0.suite == .aeadAES128GCM })
        let answer = try await answered(
            bench, branch, Self.secured("10.2.0.5", 6000, Self.answer(taking: taken)))
        let own = Self.attributes(answer)
        #expect(answer.transport == "RTP/SAVP" && own.count == 1 && own[0].tag == 7)
        #expect(own[0].suite == .aesCM128HMACSHA1_80)
        #expect(own[0].keys != (try CryptoAttribute(String(Self.crypto(7).dropFirst(9)))).keys)
        let plan = bench.media.plan
        let caller = try #require(plan[StreamKey(index: 0, side: .caller, isRTCP: false)])
        #expect(Self.keys(caller) == ["sip.c.0.caller.receive", "sip.c.0.callee.send"])
        let callee = try #require(plan[StreamKey(index: 0, side: .callee, isRTCP: true)])
        #expect(Self.keys(callee) == ["sip.c.0.callee.receive", "sip.c.0.caller.send"])
        #expect(plan.values.allSatisfy { $0.payload != .raw })
        // Each side's keys are in force: the peer's for what comes, the node's own for what leaves.
        let keys = await bench.routes.keys
        #expect(
            keys["sip.c.0.caller.receive"] == (try CryptoAttribute(String(Self.crypto(7).dropFirst(9))).masterKeys()))
        #expect(keys["sip.c.0.caller.send"] == (try own[0].masterKeys()))
        #expect(keys["sip.c.0.callee.send"] == (try taken.masterKeys()))
        #expect(keys["sip.c.0.callee.receive"]?.first?.masterKey == [UInt8](repeating: 0x77, count: 16))
        #expect(keys.count == 4)
        await bench.media.end()
        #expect(await bench.routes.isEmpty)
    }

    @Test("A plain caller, an encrypted callee, and the other way round")
    func oneSide() async throws {
        var bench = Self.bench(false)
        var (branch, offer) = try await offered(bench, Self.plain("10.1.0.5", 4000), to: Self.callee(.required))
        #expect(offer.transport == "RTP/SAVP" && !Self.attributes(offer).isEmpty)
        var answer = try await answered(
            bench, branch, Self.secured("10.2.0.5", 6000, Self.answer(taking: Self.attributes(offer)[3])))
        #expect(answer.transport == "RTP/AVP" && Self.attributes(answer).isEmpty)
        var caller = try #require(bench.media.plan[StreamKey(index: 0, side: .caller, isRTCP: false)])
        #expect(Self.keys(caller) == [nil, "sip.c.0.callee.send"])

        bench = Self.bench()
        (branch, offer) = try await offered(
            bench, Self.secured("10.1.0.5", 4000, Self.crypto(1)), to: Self.callee(.off, isSecure: false))
        #expect(offer.transport == "RTP/AVP" && Self.attributes(offer).isEmpty)
        answer = try await answered(bench, branch, Self.plain("10.2.0.5", 6000))
        #expect(answer.transport == "RTP/SAVP" && Self.attributes(answer).count == 1)
        caller = try #require(bench.media.plan[StreamKey(index: 0, side: .caller, isRTCP: false)])
        #expect(Self.keys(caller) == ["sip.c.0.caller.receive", nil])
    }

    @Test("Feedback profiles keep their feedback")
    func feedback() async throws {
        let bench = Self.bench(false)
        let (branch, offer) = try await offered(
            bench, MediaBench.sdp("10.1.0.5", "m=video 4000 RTP/AVPF 96", "a=rtpmap:96 H264/90000"),
            to: Self.callee(.required))
        #expect(offer.transport == "RTP/SAVPF")
        let answer = try await answered(
            bench, branch,
            MediaBench.sdp(
                "10.2.0.5", "m=video 6000 RTP/SAVPF 96", "a=rtpmap:96 H264/90000",
                Self.answer(taking: Self.attributes(offer)[0])))
        #expect(answer.transport == "RTP/AVPF")
    }

    @Test("Nothing falls from encrypted to clear: 488 where keys cannot pass or cannot be done")
    func refusals() async throws {
        let secured = Self.secured("10.1.0.5", 4000, Self.crypto(1))
        let weak = Self.secured("10.1.0.5", 4000, Self.crypto(1) + " UNENCRYPTED_SRTP")
        let unknown = Self.secured("10.1.0.5", 4000, Self.crypto(1, suite: "F8_128_HMAC_SHA1_80"))
        let bare = Self.secured("10.1.0.5", 4000, "a=sendrecv")
        let dtls = MediaBench.sdp("10.1.0.5", "m=audio 4000 UDP/TLS/RTP/SAVPF 0", "a=fingerprint:sha-256 00")
        for (offer, callerIsSecure, callee) in [
            (secured, false, Self.callee(.offered)), (secured, false, Self.callee(.off)),
            (secured, true, Self.callee(.offered, isSecure: false)),
            (Self.plain("10.1.0.5", 4000), true, Self.callee(.required, isSecure: false)),
            (weak, true, Self.callee(.offered)), (unknown, true, Self.callee(.off)), (bare, true, Self.callee(.off)),
            (dtls, true, Self.callee(.off)),
        ] {
            let bench = Self.bench(callerIsSecure)
            let refusal = await bench.refusal { _ = try await offered(bench, offer, to: callee) }
            #expect(refusal?.summary == "488 305")
            #expect(refusal?.headers.all("Warning").first?.contains(Self.keys[0]) == false)
            #expect(await bench.routes.reservations.isEmpty)
        }
    }

    @Test("An answer that does not take what was offered is refused, and nothing is installed")
    func wrongAnswers() async throws {
        for wrong in [
            Self.crypto(1), Self.crypto(9), Self.crypto(4) + " UNENCRYPTED_SRTCP", "a=sendrecv",
            Self.crypto(4) + "\r\n" + Self.crypto(4, key: 1),
        ] {
            let bench = Self.bench()
            let (branch, _) = try await offered(bench, Self.plain("10.1.0.5", 4000), to: Self.callee(.required))
            let refusal = await bench.refusal {
                _ = try await answered(bench, branch, Self.secured("10.2.0.5", 6000, wrong))
            }
            #expect(refusal?.summary == "488 305", "\(wrong)")
            #expect(await bench.routes.table.isEmpty)
        }
        // A plain answer to an encrypted offer is none.
        let bench = Self.bench()
        let (branch, _) = try await offered(bench, Self.plain("10.1.0.5", 4000), to: Self.callee(.required))
        let refusal = await bench.refusal {
            _ = try await answered(bench, branch, Self.plain("10.2.0.5", 6000))
        }
        #expect(refusal?.summary == "488 305")
    }

    /// An established call of an encrypted caller with a plain callee, and what the caller was answered.
    private func established(_ bench: MediaBench) async throws -> (MediaBranch, CryptoAttribute) {
        let (branch, _) = try await offered(
            bench, Self.secured("10.1.0.5", 4000, Self.crypto(1)), to: Self.callee(.off, isSecure: false))
        let answer = try await answered(bench, branch, Self.plain("10.2.0.5", 6000))
        try await bench.media.choose(branch)
        return (branch, try #require(Self.attributes(answer).first))
    }

    @Test("M-19: a change with the same key keeps the node's; another key of the peer gets another of the node")
    func rekey() async throws {
        let bench = Self.bench()
        let (branch, first) = try await established(bench)
        var changed = try await bench.change(
            branch, offer: Self.secured("10.1.0.5", 4100, version: 2, Self.crypto(1)),
            answer: Self.plain("10.2.0.5", 6000, version: 2))
        #expect(changed.offer.media[0].transport == "RTP/AVP")
        #expect(Self.attributes(changed.answer.media[0]) == [first])
        changed = try await bench.change(
            branch, offer: Self.secured("10.1.0.5", 4100, version: 3, Self.crypto(1, key: 2)),
            answer: Self.plain("10.2.0.5", 6000, version: 3))
        let second = try #require(Self.attributes(changed.answer.media[0]).first)
        #expect(second.keys != first.keys && second.suite == first.suite)
        #expect(await bench.routes.keys["sip.c.0.caller.send"] == (try second.masterKeys()))
        let events = await bench.routes.events.suffix(2)
        #expect(events == ["key sip.c.0.caller.receive", "key sip.c.0.caller.send"])
        // The callee's offer brings the caller the key that is in force.
        changed = try await bench.change(
            branch, offer: Self.plain("10.2.0.5", 6100, version: 4), from: .callee,
            answer: Self.secured("10.1.0.5", 4100, version: 4, Self.crypto(1, key: 1)))
        #expect(Self.attributes(changed.offer.media[0]) == [second])
    }

    @Test("A change that the fast path refuses leaves routes and keys as they were")
    func refusedChange() async throws {
        let bench = Self.bench()
        let (branch, first) = try await established(bench)
        let before = (await bench.routes.summary, await bench.routes.keys)
        await bench.routes.refuseLegs(to: IPAddress(10, 2, 0, 6))
        let refusal = await bench.refusal {
            _ = try await bench.change(
                branch, offer: Self.secured("10.1.0.5", 4000, version: 2, Self.crypto(1, key: 2)),
                answer: Self.plain("10.2.0.6", 6000, version: 2))
        }
        #expect(refusal != nil)
        #expect(await bench.routes.summary == before.0)
        #expect(await bench.routes.keys == before.1)
        #expect(before.1["sip.c.0.caller.send"] == (try first.masterKeys()))
    }

    @Test("A plain caller that comes to offer keys gets keys: its routes take them over")
    func upgrade() async throws {
        let bench = Self.bench()
        let (branch, _) = try await offered(bench, Self.plain("10.1.0.5", 4000), to: Self.callee(.off))
        _ = try await answered(bench, branch, Self.plain("10.2.0.5", 6000))
        try await bench.media.choose(branch)
        let changed = try await bench.change(
            branch, offer: Self.secured("10.1.0.5", 4000, version: 2, Self.crypto(1)),
            answer: Self.plain("10.2.0.5", 6000, version: 2))
        #expect(changed.answer.media[0].transport == "RTP/SAVP")
        let table = await bench.routes.table
        #expect(table["sip.c.0.caller.rtp"]?.specification.source.srtp?.key == "sip.c.0.caller.receive")
        #expect(table["sip.c.0.callee.rtp"]?.legs.map(\.specification.srtp?.key) == ["sip.c.0.caller.send"])
    }

    @Test("What was encrypted stays so: an offer without keys is refused, and the call goes on as it was")
    func downgrade() async throws {
        let bench = Self.bench()
        let (branch, first) = try await established(bench)
        let before = bench.media.plan
        try bench.media.receiveOffer(Self.plain("10.1.0.5", 4000, version: 2), from: .caller, on: branch)
        let refusal = await bench.refusal { _ = try await bench.media.offer(to: .callee, on: branch) }
        #expect(refusal?.summary == "488 305")
        #expect(bench.media.plan == before)
        let changed = try await bench.change(
            branch, offer: Self.secured("10.1.0.5", 4000, version: 3, Self.crypto(1)),
            answer: Self.plain("10.2.0.5", 6000, version: 2))
        #expect(Self.attributes(changed.answer.media[0]) == [first])
    }

    @Test("180, 183 and 200 of one callee bring the caller one key")
    func repeated() async throws {
        let bench = Self.bench()
        let (branch, _) = try await offered(
            bench, Self.secured("10.1.0.5", 4000, Self.crypto(1)), to: Self.callee(.off, isSecure: false))
        let early = try await answered(bench, branch, Self.plain("10.2.0.5", 6000))
        let late = try await answered(bench, branch, Self.plain("10.2.0.5", 6002, version: 2))
        #expect(Self.attributes(early) == Self.attributes(late) && Self.attributes(early).count == 1)
    }

    @Test("A delayed offer of an encrypted callee: the caller is offered keys where its hop is TLS")
    func delayed() async throws {
        for (isSecure, transport) in [(true, "RTP/SAVP"), (false, "RTP/AVP")] {
            let bench = Self.bench(isSecure)
            let branch = bench.media.addBranch(towards: Self.callee(.required))
            try bench.media.receiveOffer(
                Self.secured("10.2.0.5", 6000, Self.crypto(5)), from: .callee, on: branch)
            let body = try await bench.media.offer(to: .caller, on: branch)
            #expect(try SessionDescription(parsing: body).media[0].transport == transport)
            #expect(!String(decoding: body, as: UTF8.self).contains(Self.keys[0]))
        }
        let bench = Self.bench()
        let branch = bench.media.addBranch(towards: Self.callee(.required))
        try bench.media.receiveOffer(Self.plain("10.2.0.5", 6000), from: .callee, on: branch)
        let refusal = await bench.refusal { _ = try await bench.media.offer(to: .caller, on: branch) }
        #expect(refusal?.summary == "488 305")
    }

    @Test("A restarted daemon goes on with the keys of the descriptions")
    func restart() async throws {
        let bench = Self.bench()
        let (_, first) = try await established(bench)
        let record = try #require(bench.media.record)
        #expect(record.protection == .off)
        let adopted = try await CallMedia(
            adopting: record, context: bench.context,
            caller: MediaBench.peer(MediaBench.callerAddress, isSecure: true),
            callee: MediaBench.peer(MediaBench.calleeAddress))
        #expect(adopted.plan == bench.media.plan)
        #expect(adopted.plan.values.contains { Self.keys($0).first == "sip.c.0.caller.receive" })
        #expect(first.tag == 1)
    }
}
