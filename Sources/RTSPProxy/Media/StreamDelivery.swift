// One player's share of one stream.

import AgentSupport
import Routing
import Sessions

/// The delivery of one stream to one player: as legs of the fast path, or through the daemon on a TCP connection.
///
/// PLAY is `prepare`, `start`, the response, `begin`; PAUSE and TEARDOWN are `end`, the response. After `end` it can be
/// prepared again.
@AgentActor
protocol StreamDelivery: AnyObject {
    /// Brings everything into place but sends nothing yet. What cannot be done here is refused before the response.
    func prepare() async throws(RoutingError)
    /// Is ready for the first packet of a source that does not send yet and will be asked to. Called between `prepare` and `start`; then
    /// that packet is the player's first.
    func expect() async throws(RoutingError)
    /// Decides which packet will be the first, and sees to it that it is; nil while the source is silent. Called right before the
    /// response is written, and again where that took too long: then the packet may be a later one.
    func start() async -> StreamStart?
    /// Sends whatever `start` has not begun already. Called when the response is on its way.
    func begin() async
    /// Stops sending; returns when no packet can follow any more. Harmless when nothing was prepared.
    func end() async
    /// The report on it for an operator.
    var report: SessionReport.Stream { get }
    /// The record of it for a restarted daemon; nil where it ends with the daemon.
    var record: SessionRecord.Delivery? { get }
}
