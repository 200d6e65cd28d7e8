// An Ethernet address, and the one that a multicast group has.

/// A 48-bit Ethernet address.
public struct MACAddress: Hashable, Sendable {
    /// The address as a number; the first octet on the wire is the most significant of the lower 48 bits.
    public let value: UInt64

    private init(value: UInt64) { self.value = value & 0xffff_ffff_ffff }

    /// The address made of the given octets, in the order in which they go over the wire. Nil unless there are six.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 6 else { return nil }
        self.init(value: bytes.reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// The address that frames to a multicast group carry: 01:00:5e and 23 bits of an IPv4 group (RFC 1112 section 6.4),
    /// 33:33 and 32 bits of an IPv6 group (RFC 2464 section 7). Nil for a unicast address.
    public init?(group: IPAddress) {
        guard group.isMulticast else { return nil }
        let tail = group.bytes.suffix(4).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        switch group.family {
        case .ipv4: self.init(value: 0x0100_5e00_0000 | tail & 0x7f_ffff)
        case .ipv6: self.init(value: 0x3333_0000_0000 | tail)
        }
    }

    /// 00:00:00:00:00:00.
    public static let zero = MACAddress(value: 0)

    /// The six octets in wire order.
    public var bytes: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: value >> UInt64(40 - 8 * $0)) } }

    /// True if frames to this address go to a group (or to everybody).
    public var isMulticast: Bool { value >> 40 & 1 == 1 }
}

extension MACAddress: LosslessStringConvertible {
    /// Reads `02:00:00:00:00:01` or the same with hyphens.
    public init?(_ description: String) {
        let parts = description.split(omittingEmptySubsequences: false) { $0 == ":" || $0 == "-" }
        guard parts.count == 6, parts.allSatisfy({ $0.utf8.count == 2 && $0.allSatisfy(\.isHexDigit) }) else {
            return nil
        }
        let octets = parts.compactMap { UInt8($0, radix: 16) }
        guard octets.count == 6 else { return nil }
        self.init(bytes: octets)
    }

    public var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}

extension MACAddress: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let address = MACAddress(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not a MAC address")
        }
        self = address
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
