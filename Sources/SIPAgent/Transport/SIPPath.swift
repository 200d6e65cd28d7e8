// The way on which a message leaves.

import RTPWire
import SIPCore

/// The destination of a message and the node's place that it leaves from: settled before the message is written, whose
/// Via and Contact name that place.
struct SIPPath: Hashable, Sendable {
    var destination: SIPDestination
    /// The node's address that faces the peer, and the port where it listens there for the transport.
    var localAddress: IPAddress
    var localPort: UInt16
    /// The connection to use as long as it is open; nil for UDP, and for one that is still to be found or made.
    var connection: UInt64?

    /// The place that Via names.
    var sentBy: SIPHostPort { SIPHostPort(.address(localAddress), localPort) }

    /// The place that Contact names: requests of the peer within the dialog come here.
    func contact(isSecure: Bool) -> SIPURI {
        var uri = SIPURI(isSecure ? .sips : .sip, SIPHostPort(.address(localAddress), localPort))
        switch destination.transport {
        case .udp, .other: break
        case .tcp: uri.parameters["transport"] = "tcp"
        case .tls: if !isSecure { uri.parameters["transport"] = "tls" }
        }
        return uri
    }

    /// As logs and ladders name the peer: `UDP 10.1.0.7:5060`.
    var text: String { "\(destination.transport) \(destination.address.bracketed):\(destination.transportPort)" }
}

extension SIPDestination {
    /// The same place by TCP, for what is too large for UDP.
    var overTCP: SIPDestination {
        SIPDestination(transport: .tcp, address: address, transportPort: transportPort, name: name)
    }
}

extension SIPRequest {
    /// Bytes, about: to tell small requests from those that must be measured.
    var estimatedSize: Int {
        body.count + 400 + headers.fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
    }
}
