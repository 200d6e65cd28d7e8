// How the host port is called and addressed on this node.

public import RTPWire

/// The names of the host port's two ends, and a subnet of each family for them: the first address is the host's, the second
/// the fast path's.
public struct HostPortSettings: Hashable, Sendable {
    /// A subnet that belongs to the host port alone.
    public struct Subnet: Hashable, Sendable {
        /// Its lowest address.
        public let base: IPAddress
        /// In bits.
        public let prefixLength: Int

        /// Reads `100.127.255.0/30`. Refused unless it has room for two addresses and nothing stands behind its prefix.
        public init(_ text: String, family: IPAddress.Family) throws(SpecificationError) {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            let longest = family == .ipv4 ? 30 : 126
            guard parts.count == 2, let base = IPAddress(parts[0]), let prefixLength = Int(parts[1]),
                base.family == family, (8...longest).contains(prefixLength), !base.isMulticast, !base.isLoopback,
                Self.hasNothing(behind: prefixLength, base)
            else {
                let example = family == .ipv4 ? "100.127.255.0/30" : "fd43:7270:6873::/126"
                throw SpecificationError(
                    .setting("host port"), text, "is no \(family.rawValue) subnet with room for two addresses",
                    remedy: "use one such as \(example), which no other interface of this node has")
            }
            self.base = base
            self.prefixLength = prefixLength
        }

        private static func hasNothing(behind prefixLength: Int, _ address: IPAddress) -> Bool {
            let bytes = address.bytes
            return (prefixLength..<bytes.count * 8).allSatisfy { bytes[$0 / 8] >> UInt8(7 - $0 % 8) & 1 == 0 }
        }

        /// The address with the given number, 1 to 3.
        func address(_ number: UInt8) -> IPAddress {
            var bytes = base.bytes
            bytes[bytes.count - 1] |= number
            // As many bytes as the base has.
            return IPAddress(bytes: bytes) ?? base
        }

        /// Whether the subnet and the network of another address have addresses in common.
        func overlaps(_ address: IPAddress, prefixLength other: Int) -> Bool {
            base.isInSameNetwork(as: address, prefixLength: min(prefixLength, other))
        }
    }

    public var ipv4: Subnet
    public var ipv6: Subnet
    /// The interface that has the addresses, and the one that the fast path is attached to.
    public var hostEnd: String
    public var fastPathEnd: String

    public init(
        ipv4: Subnet = .defaultIPv4, ipv6: Subnet = .defaultIPv6, hostEnd: String = "crosspoint0",
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

extension HostPortSettings.Subnet {
    private init(base: IPAddress, prefixLength: Int) {
        self.base = base
        self.prefixLength = prefixLength
    }

    /// 100.127.255.0/30, the last of the addresses for carriers' own use (RFC 6598).
    public static let defaultIPv4 = HostPortSettings.Subnet(base: IPAddress(100, 127, 255, 0), prefixLength: 30)

    /// fd43:7270:6873::/126, a unique local prefix (RFC 4193) of this program.
    public static let defaultIPv6 = HostPortSettings.Subnet(
        base: IPAddress(words: (UInt32(0xfd43_7270).bigEndian, UInt32(0x6873_0000).bigEndian, 0, 0)), prefixLength: 126)
}
