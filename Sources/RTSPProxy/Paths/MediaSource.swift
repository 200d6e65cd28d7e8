// Source of a path's streams, as players see it.

import AgentSupport
import RTPWire
import RTSPCore
import SDP

/// The presentation that a source offers once it is open.
struct Presentation: Sendable {
    /// As the source described it.
    var description: SessionDescription
    /// One for each media description, in their order.
    var streams: [PresentationStream]

    init(description: SessionDescription, streams: [PresentationStream]) {
        self.description = description
        self.streams = streams
    }
}

/// One stream, which is in the fast path: players are legs of these routes.
struct PresentationStream: Hashable, Sendable, Codable {
    /// The number of its media description, from 0.
    var index: Int
    /// `video`, `audio`, …
    var media: String
    /// The last part of its control URL at this node: `streamid=0`.
    var control: String
    /// The routes (of `SessionRouteControl`) that its RTP and its RTCP come in on.
    var rtpRoute: String
    var rtcpRoute: String
    /// In Hz, from the description.
    var clockRate: UInt32?
    /// True if it comes encrypted: then it leaves the node inside TLS only. Nil is false, as in journals of earlier daemons.
    var isEncrypted: Bool?

    init(
        index: Int, media: String, control: String, rtpRoute: String, rtcpRoute: String, clockRate: UInt32?,
        isEncrypted: Bool? = nil
    ) {
        self.isEncrypted = isEncrypted
        self.index = index
        self.media = media
        self.control = control
        self.rtpRoute = rtpRoute
        self.rtcpRoute = rtcpRoute
        self.clockRate = clockRate
    }
}

/// Opens and closes what a path's streams come from: an upstream server, or a publisher.
@AgentActor
protocol MediaSource: AnyObject {
    /// Connects, negotiates and brings the streams into the fast path. Called once; a later `open` after `close` or after
    /// `onEnd` begins again and continues with the routes that are there.
    func open() async throws(MediaSourceError) -> Presentation
    /// The same, but where the source can wait with its packets, it waits for `play`: then the first player gets the first one.
    func prepare() async throws(MediaSourceError) -> Presentation
    /// Has the packets of a prepared source come; returns when it says that it sends them. Harmless when it does.
    func play() async throws(MediaSourceError)
    /// True from `prepare` until `play` has done its work.
    var waitsForPlay: Bool { get }
    /// Ends the session with the source, and takes its routes away.
    func close() async
    /// Called when an open source is lost, with the reason. Its routes stay, with the players' legs, until `close`.
    var onEnd: (@AgentActor (MediaSourceError) -> Void)? { get set }
    /// The report for an operator.
    func report() -> [String]
}

extension MediaSource {
    func prepare() async throws(MediaSourceError) -> Presentation { try await open() }
    func play() async throws(MediaSourceError) {}
    var waitsForPlay: Bool { false }
}

/// The reason for which there is nothing to play: the answer to players, and the text for operators.
struct MediaSourceError: Error, Sendable, CustomStringConvertible {
    /// The status that a player is answered with: 404, 502, 503, 504…
    var status: RTSPStatus
    /// One line for the log and `rtsp route show`.
    var message: String

    init(_ status: RTSPStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    var description: String { message }
}
