// An IPv4 or IPv6 address as a value, in the form in which the fast path's maps hold it.

/// An IPv4 or IPv6 address.
///
/// Both families share one representation of 16 bytes in network byte order; an IPv4 address is held as
/// `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2), which is also how the fast path's flow and leg records hold it.
public struct IPAddress: Hashable, Sendable {
    /// The address family.
    public enum Family: String, Hashable, Sendable, Codable {
        case ipv4 = "IPv4"
        case ipv6 = "IPv6"
    }

    /// The first and the second eight bytes, as big-endian numbers.
    let high: UInt64
    let low: UInt64

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The IPv4 address `a.b.c.d`.
    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        let value = UInt64(a) << 24 | UInt64(b) << 16 | UInt64(c) << 8 | UInt64(d)
        self.init(high: 0, low: 0xffff_0000_0000 | value)
    }

    /// The address held in `bytes`: 4 bytes of IPv4 or 16 bytes of IPv6, network byte order. Nil for another length.
    public init?(bytes: some Collection<UInt8>) {
        func number(_ part: some Collection<UInt8>) -> UInt64 {
            part.reduce(0) { $0 << 8 | UInt64($1) }
        }
        switch bytes.count {
        case 4: self.init(high: 0, low: 0xffff_0000_0000 | number(bytes))
        case 16: self.init(high: number(bytes.prefix(8)), low: number(bytes.dropFirst(8)))
        default: return nil
        }
    }

    /// The address held in a record of the fast path: four 32-bit words in network byte order.
    public init(words: (UInt32, UInt32, UInt32, UInt32)) {
        let host = (
            UInt64(UInt32(bigEndian: words.0)), UInt64(UInt32(bigEndian: words.1)),
            UInt64(UInt32(bigEndian: words.2)), UInt64(UInt32(bigEndian: words.3))
        )
        self.init(high: host.0 << 32 | host.1, low: host.2 << 32 | host.3)
    }

    /// All zeros: the IPv6 address `::`.
    public static let unspecified = IPAddress(high: 0, low: 0)

    /// The address as four 32-bit words in network byte order, as the fast path's records hold it.
    public var words: (UInt32, UInt32, UInt32, UInt32) {
        (
            UInt32(truncatingIfNeeded: high >> 32).bigEndian, UInt32(truncatingIfNeeded: high).bigEndian,
            UInt32(truncatingIfNeeded: low >> 32).bigEndian, UInt32(truncatingIfNeeded: low).bigEndian
        )
    }

    /// The family. An IPv4-mapped IPv6 address counts as IPv4.
    public var family: Family { high == 0 && low >> 32 == 0xffff ? .ipv4 : .ipv6 }

    /// The address as it is written in a packet: 4 or 16 bytes, network byte order.
    public var bytes: [UInt8] {
        func octets(_ half: UInt64) -> [UInt8] {
            stride(from: UInt64(56), through: 0, by: -8).map { UInt8(truncatingIfNeeded: half >> $0) }
        }
        return family == .ipv4 ? Array(octets(low).suffix(4)) : octets(high) + octets(low)
    }

    /// The IPv4 address as a number in host byte order; meaningful for IPv4 only.
    private var ipv4: UInt32 { UInt32(truncatingIfNeeded: low) }

    /// True if this is a multicast group (224.0.0.0/4, RFC 5771, or ff00::/8, RFC 4291).
    public var isMulticast: Bool { family == .ipv4 ? ipv4 >> 28 == 0xe : high >> 56 == 0xff }

    /// True if this is a group that never leaves its link: 224.0.0.0/24 (RFC 5771) or ff01::/16 and ff02::/16 (RFC 4291).
    public var isLinkLocalMulticast: Bool {
        switch family {
        case .ipv4: ipv4 >> 8 == 0xe00000
        case .ipv6: high >> 56 == 0xff && [1, 2].contains(high >> 48 & 0xf)
        }
    }

    /// True if this is a loopback address (127.0.0.0/8 or ::1).
    public var isLoopback: Bool { family == .ipv4 ? ipv4 >> 24 == 127 : high == 0 && low == 1 }

    /// True if this is 0.0.0.0 or ::.
    public var isUnspecified: Bool { family == .ipv4 ? ipv4 == 0 : high == 0 && low == 0 }

    /// True if this is 255.255.255.255.
    public var isLimitedBroadcast: Bool { family == .ipv4 && ipv4 == .max }

    /// True if this is an IPv6 unicast address that is valid on its link only (fe80::/10).
    public var isLinkLocalUnicast: Bool { family == .ipv6 && high >> 54 == 0x3fa }

    /// True for an address that others use as well, behind their NATs: RFC 1918, RFC 6598, RFC 4193, link-local ones.
    public var isPrivate: Bool {
        guard family == .ipv4 else { return high >> 57 == 0x7e || isLinkLocalUnicast }
        return ipv4 >> 24 == 10 || ipv4 >> 20 == 0xac1 || ipv4 >> 16 == 0xc0a8 || ipv4 >> 22 == 0x191
            || ipv4 >> 16 == 0xa9fe
    }

    /// True if the first `prefixLength` bits of both addresses agree. False across families.
    public func isInSameNetwork(as other: IPAddress, prefixLength: Int) -> Bool {
        guard family == other.family else { return false }
        let bits = prefixLength + (family == .ipv4 ? 96 : 0)
        let highBits = min(bits, 64)
        let lowBits = max(bits - 64, 0)
        func mask(_ count: Int) -> UInt64 { count == 0 ? 0 : ~UInt64(0) << UInt64(64 - count) }
        return (high ^ other.high) & mask(highBits) == 0 && (low ^ other.low) & mask(lowBits) == 0
    }
}

extension IPAddress: Comparable {
    public static func < (a: IPAddress, b: IPAddress) -> Bool { (a.high, a.low) < (b.high, b.low) }
}
