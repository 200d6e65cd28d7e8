// Key of one source of requests.

public import RTPWire

/// The network whose requests count together: an IPv4 address, or the /64 of an IPv6 address, all of which one host can use.
public struct SourceKey: Hashable, Sendable, CustomStringConvertible {
    /// The IPv4 address, or the first address of the /64.
    public let address: IPAddress

    public init(_ address: IPAddress) {
        self.address =
            address.family == .ipv4
            ? address : IPNetwork(containing: address, prefixLength: Self.prefixLength)?.address ?? address
    }

    /// The number of bits of an IPv6 address that distinguish sources (RFC 4291 section 2.5.1).
    private static let prefixLength = 64

    /// `10.1.0.7`, `2001:db8::/64`.
    public var description: String {
        address.family == .ipv4 ? "\(address)" : "\(address)/\(Self.prefixLength)"
    }
}
