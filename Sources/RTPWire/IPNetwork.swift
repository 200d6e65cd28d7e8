// A network in prefix notation: what permissions and pools of addresses are written in.

/// A network, `10.1.0.0/16` or `2001:db8::/32` (RFC 4632 section 3.1, RFC 4291 section 2.3).
public struct IPNetwork: Hashable, Sendable {
    /// The network's first address: the bits behind the prefix are zero.
    public let address: IPAddress
    /// The number of leading bits that its addresses share: 0 to 32, or 0 to 128.
    public let prefixLength: Int

    /// The network of `address` with the given prefix; nil where the prefix is longer than an address. Bits behind it are cleared.
    public init?(containing address: IPAddress, prefixLength: Int) {
        var bytes = address.bytes
        guard (0...bytes.count * 8).contains(prefixLength) else { return nil }
        for index in bytes.indices {
            let kept = min(max(prefixLength - index * 8, 0), 8)
            bytes[index] &= ~(UInt8.max >> UInt8(kept))
        }
        guard let first = IPAddress(bytes: bytes) else { return nil }
        self.address = first
        self.prefixLength = prefixLength
    }

    /// The number of bits behind the prefix that distinguish its addresses.
    public var hostBits: Int { address.bytes.count * 8 - prefixLength }

    /// True if `other` is in this network. False across families.
    public func contains(_ other: IPAddress) -> Bool {
        address.isInSameNetwork(as: other, prefixLength: prefixLength)
    }
}

extension IPNetwork: LosslessStringConvertible {
    /// Reads `10.1.0.0/16`, or an address alone for a network of one. Nil for anything else, and where bits behind the prefix are set.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        var prefixLength = address.bytes.count * 8
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(parts[1])
            else { return nil }
            prefixLength = number
        }
        self.init(containing: address, prefixLength: prefixLength)
        guard self.address == address else { return nil }
    }

    public var description: String { "\(address)/\(prefixLength)" }
}
