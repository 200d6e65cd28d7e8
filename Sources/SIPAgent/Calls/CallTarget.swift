// Somebody to call.

import RTPWire
import SIPCore

/// One destination of a call, as the dial plan and the registrar know it.
struct CallTarget: Hashable, Sendable {
    /// The Request-URI, and To.
    var requestURI: SIPURI
    /// The URI that the request is sent to, to be looked up by RFC 3263.
    var destination: SIPURI
    /// True if the operator has named it: the dial plan, and neither a device nor the party that was called first.
    var isConfigured = false
    /// The connection that the device has registered on, to be used while it is open.
    var connection: UInt64?
    /// True for a device that is called where it has registered from, and not where its contact says.
    var isAway = false
    /// The identity of this node for the next hop when that asks.
    var credentials: DialTarget.Credentials?
    /// The address that the response came from that has named it (3xx); nil where the dial plan or the registrar has.
    var redirector: IPAddress?
    /// Seconds after which it is given up.
    var ringTime: Int
    /// The party that encrypts the media.
    var protection: MediaProtection

    /// The Route of a request, where the next hop is not the Request-URI's.
    var route: String? {
        destination != requestURI && connection == nil && destination.isLooseRouter ? "<\(destination)>" : nil
    }
}
