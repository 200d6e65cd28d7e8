// Names and addresses of the host port on this node.

public import RTPWire

/// The names of the host port's two ends, and a subnet of each family for them: the first address is the host's, the second
/// the fast path's.
public struct HostPortSettings: Hashable, Sendable {
    /// Networks that belong to the host port alone: at most 30 and 126 bits long, so that both ends have an address.
    public var ipv4: IPNetwork
    public var ipv6: IPNetwork
    /// The interface that has the addresses, and the one that the fast path is attached to.
    public var hostEnd: String
    public var fastPathEnd: String

    public init(
        ipv4: IPNetwork = HostPortSettings.defaultIPv4, ipv6: IPNetwork = HostPortSettings.defaultIPv6,
        hostEnd: String = "crosspoint0",
        fastPathEnd: String = "crosspoint1"
    ) {
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        self.hostEnd = hostEnd
        self.fastPathEnd = fastPathEnd
    }

    /// The addresses of both ends.
    public var addresses: HostPort {
        HostPort(
            hostIPv4: ipv4.address(1), hostIPv6: ipv6.address(1), fastPathIPv4: ipv4.address(2),
            fastPathIPv6: ipv6.address(2))
    }
}

extension HostPortSettings {
    /// 100.127.255.0/30, the last of the addresses for carriers' own use (RFC 6598).
    public static let defaultIPv4 = network(IPAddress(100, 127, 255, 0), 30)

    /// fd43:7270:6873::/126, a unique local prefix (RFC 4193) of this program.
    public static let defaultIPv6 = network(
        IPAddress(words: (UInt32(0xfd43_7270).bigEndian, UInt32(0x6873_0000).bigEndian, 0, 0)), 126)

    private static func network(_ address: IPAddress, _ prefixLength: Int) -> IPNetwork {
        guard let network = IPNetwork(containing: address, prefixLength: prefixLength) else {
            preconditionFailure("a default network of the host port is none")
        }
        return network
    }
}

extension IPNetwork {
    /// The address with the given number in the network, 1 to 3.
    func address(_ number: UInt8) -> IPAddress {
        var bytes = address.bytes
        bytes[bytes.count - 1] |= number
        // As many bytes as the network's own address has.
        return IPAddress(bytes: bytes) ?? address
    }

    /// True if this and the network of another address have addresses in common.
    func overlaps(_ other: IPAddress, prefixLength otherLength: Int) -> Bool {
        address.isInSameNetwork(as: other, prefixLength: min(prefixLength, otherLength))
    }
}
