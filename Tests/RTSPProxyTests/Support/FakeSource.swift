// A source of streams that does as the test says.

import AgentSupport
import RTSPCore
import SDP

@testable import RTSPProxy

/// Counts how often it is opened and closed, and fails as often as it is told to.
@AgentActor
final class FakeSource: MediaSource {
    var onEnd: (@AgentActor (MediaSourceError) -> Void)?
    private(set) var opened = 0
    private(set) var closed = 0
    /// Errors that the next openings end with.
    var failures: [MediaSourceError] = []
    var presentation: Presentation
    /// How long opening takes.
    var delay = Duration.zero
    /// How long closing takes.
    var closeDelay = Duration.zero
    /// True if it was opened while it was being closed.
    private(set) var isDisturbed = false
    private var isClosing = false

    init(presentation: Presentation) { self.presentation = presentation }

    func open() async throws(MediaSourceError) -> Presentation {
        opened += 1
        if isClosing { isDisturbed = true }
        try? await Task.sleep(for: delay)
        if !failures.isEmpty { throw failures.removeFirst() }
        return presentation
    }

    func close() async {
        isClosing = true
        try? await Task.sleep(for: closeDelay)
        isClosing = false
        closed += 1
    }

    func report() -> [String] { ["opened \(opened) times"] }
}

extension Presentation {
    /// One video stream, whose routes are named after `path`.
    static func video(path: String = "rtsp.cam", clockRate: UInt32 = 90_000) throws -> Presentation {
        let text =
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 raw/\(clockRate)\r\n"
        return Presentation(
            description: try SessionDescription(parsing: Array(text.utf8)),
            streams: [
                PresentationStream(
                    index: 0, media: "video", control: "streamid=0", rtpRoute: "\(path).0.rtp",
                    rtcpRoute: "\(path).0.rtcp", clockRate: clockRate)
            ])
    }
}
