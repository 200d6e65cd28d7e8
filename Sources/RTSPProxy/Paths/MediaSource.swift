// Where a path's streams come from, as players see it.

import AgentSupport
import RTPWire
import RTSPCore
import SDP

/// What a source offers once it is open.
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
    /// Whether it comes encrypted: then it leaves the node inside TLS only. Nil is false, as in journals of earlier daemons.
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
    /// `onEnd` begins anew and goes on with the routes that are there.
    func open() async throws(MediaSourceError) -> Presentation
    /// Ends the session with the source, and takes its routes away.
    func close() async
    /// Called when an open source is lost, with the reason. Its routes stay, with the players' legs, until `close`.
    var onEnd: (@AgentActor (MediaSourceError) -> Void)? { get set }
    /// What an operator is told.
    func report() -> [String]
}

/// Why there is nothing to play: what players are answered, and what operators read.
struct MediaSourceError: Error, Sendable, CustomStringConvertible {
    /// What a player is answered: 404, 502, 503, 504…
    var status: RTSPStatus
    /// One line for the log and `rtsp route show`.
    var message: String

    init(_ status: RTSPStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    var description: String { message }
}
