// Source of a message.

public import RTPWire
public import SIPCore

/// The peer that a message was received from, and where on this node it arrived.
public struct SIPSource: Hashable, Sendable {
    public var transport: SIPTransport
    /// The peer's address, and its UDP or TCP port.
    public var address: IPAddress
    public var transportPort: UInt16
    /// The node's address, and the UDP or TCP port on which it listens there.
    public var localAddress: IPAddress
    public var localPort: UInt16
    /// The connection that the message came on; nil for UDP.
    public var connection: UInt64?

    public init(
        transport: SIPTransport, address: IPAddress, transportPort: UInt16, localAddress: IPAddress, localPort: UInt16,
        connection: UInt64? = nil
    ) {
        self.transport = transport
        self.address = address
        self.transportPort = transportPort
        self.localAddress = localAddress
        self.localPort = localPort
        self.connection = connection
    }

    /// As logs and ladders name the peer: `UDP 10.1.0.7:5060`.
    public var text: String { "\(transport) \(address.bracketed):\(transportPort)" }
}

extension SIPRequest {
    /// The INVITE of a client of RFC 2543 with the Contact that it need not have there (section 6.13): the place that it came from. Requests
    /// of RFC 3261, whose branch says so, are as they are.
    func withContact(at source: SIPSource) -> SIPRequest {
        guard vias.first?.branch == nil, headers.all("Contact").isEmpty else { return self }
        var uri = SIPURI(.sip, SIPHostPort(.address(source.address), source.transportPort))
        uri.userName = from.uri.userName
        if source.transport != .udp { uri.parameters["transport"] = source.transport.description.lowercased() }
        var request = self
        request.headers.append("Contact", "<\(uri)>")
        return request
    }
}
