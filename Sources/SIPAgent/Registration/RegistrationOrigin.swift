// Origin of a registration: the place and the user that a contact was registered from.

import RTPWire
import SIPCore

/// The sender of a REGISTER.
struct RegistrationOrigin: Codable, Hashable, Sendable {
    /// `UDP`, `TCP`, `TLS`.
    var transport: String
    var address: IPAddress
    /// The UDP or TCP port.
    var transportPort: UInt16
    /// The connection that it came on; it does not outlive the daemon.
    var connection: UInt64?
    /// The address that the device takes for its own, where its messages pass a NAT.
    var inner: IPAddress?
    /// The time of the REGISTER, nanoseconds of the monotonic clock; 0 for one of an earlier daemon.
    var since: UInt64 = 0
    /// The user who authenticated; nil where nobody had to.
    var user: String?
    /// The device's program, as it says in User-Agent.
    var agent: String?

    private enum CodingKeys: String, CodingKey {
        case transport, address, transportPort, inner, user, agent
    }

    init(_ source: SIPSource, request: SIPRequest, user: String?, since: UInt64) {
        transport = source.transport.description
        if request.vias.count == 1,
            request.isTranslated(from: source.address, transportPort: source.transportPort)
        {
            // By the UDP port alone where the Via names no address, or the right one.
            inner = request.vias[0].sentBy.host.address ?? source.address
        }
        self.since = since
        let agent = request.headers["User-Agent"]
        address = source.address
        transportPort = source.transportPort
        connection = source.connection
        self.user = user
        self.agent = agent.map { String($0.prefix(100)) }
    }

    /// As logs and reports name it: `UDP 10.1.0.7:5060`.
    var text: String { "\(transport) \(address.bracketed):\(transportPort)" }
}
