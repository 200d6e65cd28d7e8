// One place that a request may be sent to.

import RTPWire
import SIPCore

/// An address with its transport: what RFC 3263 makes of a URI.
struct SIPDestination: Hashable, Sendable, CustomStringConvertible {
    var transport: SIPTransport
    var address: IPAddress
    /// The UDP or TCP port.
    var transportPort: UInt16
    /// The name that a certificate of the peer must be for: the name that was looked up, or the address as text.
    var name: String

    /// As logs name it: `UDP 10.1.0.7:5060`.
    var description: String { "\(transport) \(address.bracketed):\(transportPort)" }
}
