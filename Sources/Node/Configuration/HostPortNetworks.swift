// The networks of the host port, by which programs of this node take part in the fast path.

public import RTPWire

/// The section `host-port` of the configuration: networks that nobody else on this host uses.
public struct HostPortNetworks: Hashable, Sendable {
    /// At most 30 bits long, so that both ends have an address in it.
    public var ipv4: IPNetwork
    /// At most 126 bits long.
    public var ipv6: IPNetwork

    public init(ipv4: IPNetwork = HostPortNetworks.defaultIPv4, ipv6: IPNetwork = HostPortNetworks.defaultIPv6) {
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }

    /// 100.127.255.0/30: the end of the space that RFC 6598 shares out, which hosts do not route.
    public static let defaultIPv4 = network(IPAddress(100, 127, 255, 0), 30)
    /// fd43:7270:6873::/126: unique local addresses (RFC 4193).
    public static let defaultIPv6 = network(
        IPAddress(bytes: [0xfd, 0x43, 0x72, 0x70, 0x68, 0x73] + [UInt8](repeating: 0, count: 10)), 126)

    private static func network(_ address: IPAddress?, _ prefixLength: Int) -> IPNetwork {
        guard let network = address.flatMap({ IPNetwork(containing: $0, prefixLength: prefixLength) }) else {
            preconditionFailure("a default network of the host port is none")
        }
        return network
    }
}
