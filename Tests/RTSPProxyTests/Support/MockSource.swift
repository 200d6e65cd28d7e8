// A camera that is always there.

import AgentSupport
import RTPWire
import RTSPCore
import Routing
import SDP

@testable import RTSPProxy

/// A source with two streams, or one, whose routes are in `MockRouting`.
@AgentActor final class MockSource: MediaSource {
    var onEnd: (@AgentActor (MediaSourceError) -> Void)?
    private(set) var opened = 0
    private(set) var closed = 0
    /// How long opening takes.
    var delay = Duration.zero
    /// What the camera says when it is opened.
    var text = MockSource.description
    /// True if it waits for PLAY, what it does then, and what it refuses that with.
    var waitsForPlay = false
    var onPlay: (@AgentActor () async -> Void)?
    var playRefusal: MediaSourceError?
    private(set) var played = 0
    private let path: String
    private let routing: MockRouting
    private let streams: Int

    static let description = """
        v=0
        o=- 7 1 IN IP4 10.1.0.7
        s=Camera
        c=IN IP4 239.1.1.7/16
        t=0 0
        a=control:rtsp://10.1.0.7/main
        m=video 5004 RTP/AVP 96
        a=rtpmap:96 H264/90000
        a=ts-refclk:ptp=IEEE1588-2008:00-11-22-FF-FE-33-44-55:0
        a=control:rtsp://10.1.0.7/main/trackID=1
        m=audio 5006 RTP/AVP 97
        a=rtpmap:97 L24/48000/2
        a=control:trackID=2

        """

    init(path: String, routing: MockRouting, streams: Int = 2) {
        self.path = path
        self.routing = routing
        self.streams = streams
    }

    func open() async throws(MediaSourceError) -> Presentation {
        opened += 1
        if delay > .zero { try? await Task.sleep(for: delay) }
        guard var description = try? SessionDescription(parsing: Array(text.utf8)) else {
            throw MediaSourceError(.badGateway, "no description")
        }
        description.media = Array(description.media.prefix(streams))
        for index in 0..<streams {
            for what in ["rtp", "rtcp"] {
                let source = SourceSpecification(
                    address: IPAddress(239, 1, 1, 7), udpPort: 5004, port: PortReference(interface: "lo"))
                _ = try? await routing.add(
                    RouteSpecification(name: "\(path).\(index).\(what)", source: source), owner: .session)
            }
        }
        return Presentation(
            description: description,
            streams: description.media.enumerated().map {
                PresentationStream(
                    index: $0, media: $1.kind, control: "streamid=\($0)", rtpRoute: "\(path).\($0).rtp",
                    rtcpRoute: "\(path).\($0).rtcp", clockRate: $1.clockRate)
            })
    }

    func play() async throws(MediaSourceError) {
        played += 1
        await onPlay?()
        if let playRefusal { throw playRefusal }
        waitsForPlay = false
    }

    func close() async {
        closed += 1
        for index in 0..<streams {
            for what in ["rtp", "rtcp"] { try? await routing.remove(route: "\(path).\(index).\(what)") }
        }
    }

    func report() -> [String] { [] }
}
