// Media that become others in their place.

import AgentSupport
import RTPWire
import Routing
import SDP
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Media that change their type") @AgentActor struct MediaTypeTests {
    @Test("medium-changes-its-type: audio becomes T.38 in its place, and audio again")
    func fax() async throws {
        let bench = MediaBench()
        let branch = try await bench.establish()
        let before = await bench.routes.summary
        let (offer, answer) = try await bench.change(
            branch, offer: MediaBench.sdp("10.1.0.5", version: 2, "m=image 4000 udptl t38"),
            answer: MediaBench.sdp("10.2.0.5", version: 2, "m=image 6000 udptl t38"))
        #expect(offer.media[0].kind == "image" && answer.media[0].kind == "image")
        #expect(answer.media[0].udpPort != 0)
        #expect(await !bench.routes.summary.isEmpty)
        try await bench.change(
            branch, offer: MediaBench.sdp("10.1.0.5", version: 3, "m=audio 4000 RTP/AVP 0"),
            answer: MediaBench.sdp("10.2.0.5", version: 3, "m=audio 6000 RTP/AVP 0"))
        #expect(await bench.routes.summary == before)
    }

    @Test("medium-changes-its-type: a place that the answer has refused may be used for anything")
    func reused() async throws {
        let bench = MediaBench()
        let branch = try await bench.establish(
            offer: MediaBench.sdp(
                "10.1.0.5", "m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 96", "a=rtpmap:96 H264/90000"),
            answer: MediaBench.sdp("10.2.0.5", "m=audio 6000 RTP/AVP 0", "m=video 0 RTP/AVP 96"))
        let (_, answer) = try await bench.change(
            branch,
            offer: MediaBench.sdp(
                "10.1.0.5", version: 2, "m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 96", "a=rtpmap:96 VP8/90000"),
            answer: MediaBench.sdp(
                "10.2.0.5", version: 2, "m=audio 6000 RTP/AVP 0", "m=video 6002 RTP/AVP 96", "a=rtpmap:96 VP8/90000"))
        #expect(answer.media[1].udpPort != 0)
    }

    @Test("lost-without-packets: before the first packet nothing was expected, and nothing is lost")
    func nothingLost() {
        var totals = StreamTotals()
        totals.expected = 1
        #expect(totals.lostPackets == 0)
        totals.expected = 12
        totals.received = 10
        #expect(totals.lostPackets == 2)
    }
}
