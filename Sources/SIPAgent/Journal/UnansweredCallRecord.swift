// Record, for a restarted daemon, of a call that nobody has answered.

import AgentSupport
import RTPWire
import SIPCore

/// A call that rings, as the journal holds it: enough to answer the caller, and to cancel what was sent to the callees.
struct UnansweredCallRecord: Sendable, Codable {
    /// The place that an INVITE came from, or went to.
    struct Place: Sendable, Codable {
        var transport: String
        var address: String
        var transportPort: UInt16
        var local: String
        var localPort: UInt16
        /// The name that a certificate must be for; nil for a caller.
        var name: String?

        init(_ source: SIPSource) {
            transport = source.transport.description
            address = source.address.description
            transportPort = source.transportPort
            local = source.localAddress.description
            localPort = source.localPort
        }

        init(_ path: SIPPath) {
            transport = path.destination.transport.description
            address = path.destination.address.description
            transportPort = path.destination.transportPort
            local = path.localAddress.description
            localPort = path.localPort
            name = path.destination.name
        }

        /// Connections end with the daemon; what came on one is answered on another.
        var source: SIPSource? {
            guard let address = IPAddress(address), let local = IPAddress(local) else { return nil }
            return SIPSource(
                transport: SIPTransport(transport), address: address, transportPort: transportPort,
                localAddress: local, localPort: localPort)
        }

        var path: SIPPath? {
            guard let address = IPAddress(address), let local = IPAddress(local) else { return nil }
            let destination = SIPDestination(
                transport: SIPTransport(transport), address: address, transportPort: transportPort,
                name: name ?? address.description)
            return SIPPath(destination: destination, localAddress: local, localPort: localPort)
        }
    }

    /// An INVITE without its body.
    struct Invite: Sendable, Codable {
        var text: String
        var place: Place

        init(_ request: SIPRequest, _ place: Place) {
            var request = request
            request.body = []
            text = String(decoding: request.bytes, as: UTF8.self)
            self.place = place
        }

        var request: SIPRequest? {
            guard case .request(let request)? = try? SIPParser.parse(datagram: Array(text.utf8)),
                request.method == .invite
            else { return nil }
            return request
        }
    }

    var name: String
    var target: String
    var user: String?
    var callerAddress: String
    var startedAt: UInt64
    /// The caller's INVITE; nil where it has its final response, and only cancelled destinations are waited for.
    var caller: Invite?
    /// The tag of this node's responses to it.
    var tag: String?
    /// The INVITEs that were sent to destinations that have given no final response.
    var branches: [Invite]
}
