// Destination of RTCP of a medium, if it is not the next UDP port.

public import RTPWire

/// The attribute `a=rtcp` (RFC 3605 section 2.1).
public struct RTCPAttribute: Hashable, Sendable {
    /// The UDP port.
    public var udpPort: UInt16
    /// The address, if it is not that of the media.
    public var address: IPAddress?

    public init(udpPort: UInt16, address: IPAddress? = nil) {
        self.udpPort = udpPort
        self.address = address
    }

    /// Reads `53020` or `53020 IN IP4 126.16.64.4`.
    init?(_ value: String) {
        let fields = value.fields
        guard let first = fields.first, let udpPort = UInt16(first) else { return nil }
        self.init(udpPort: udpPort, address: fields.count >= 4 ? IPAddress(fields[3]) : nil)
    }

    /// The value of the attribute.
    var text: String {
        address.map { "\(udpPort) IN \($0.family == .ipv4 ? "IP4" : "IP6") \($0)" } ?? "\(udpPort)"
    }
}
