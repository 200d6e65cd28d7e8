// Address of a TCP listener: `127.0.0.1:9464`, `[::1]:9464`.

public import RTPWire

/// A local address and TCP port to listen on.
public struct ListenAddress: Hashable, Sendable, LosslessStringConvertible {
    /// The local address.
    public var address: IPAddress
    /// The TCP port; 0 lets the kernel choose one.
    public var tcpPort: UInt16

    public init(address: IPAddress, tcpPort: UInt16) {
        self.address = address
        self.tcpPort = tcpPort
    }

    /// The address at which metrics are served unless the configuration says otherwise.
    public static let defaultMetrics = ListenAddress(address: IPAddress(127, 0, 0, 1), tcpPort: 9464)

    /// Reads `127.0.0.1:9464` or `[::1]:9464`; nil for anything else.
    public init?(_ description: String) {
        guard let colon = description.lastIndex(of: ":"),
            let tcpPort = UInt16(description[description.index(after: colon)...])
        else { return nil }
        var host = description[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard let address = IPAddress(host) else { return nil }
        self.init(address: address, tcpPort: tcpPort)
    }

    public var description: String { "\(address.bracketed):\(tcpPort)" }
}
