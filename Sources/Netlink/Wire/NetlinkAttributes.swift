// Netlink attributes (`struct nlattr`): length, type, value, padded to 4.

import CrosspointShim
import RTPWire

/// The attributes of a message, or of one nested attribute. Of one that occurs twice, the last counts.
struct NetlinkAttributes {
    private var values: [UInt16: ArraySlice<UInt8>] = [:]

    /// Reads attributes; nil if a length is impossible.
    init?(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while rest.count >= 4 {
            guard let length = rest.integer(UInt16.self, at: 0).map(Int.init), length >= 4, length <= rest.count,
                let type = rest.integer(UInt16.self, at: 2)
            else { return nil }
            // The two highest bits say "nested" and "network byte order".
            values[type & UInt16(nlaTypeMask)] = rest.dropFirst(4).prefix(length - 4)
            rest = rest.dropFirst((length + 3) & ~3)
        }
    }

    /// The value of an attribute, if it is there.
    subscript(type: some BinaryInteger) -> ArraySlice<UInt8>? { values[UInt16(truncatingIfNeeded: type)] }

    /// The value as a number in host byte order, if it is there and long enough.
    func integer<Number: FixedWidthInteger>(_ type: some BinaryInteger, as: Number.Type = Number.self) -> Number? {
        self[type]?.integer(Number.self, at: 0)
    }

    /// The value as text up to its first zero byte.
    func text(_ type: some BinaryInteger) -> String? {
        self[type].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// The value as an IPv4 or IPv6 address, by its length.
    func address(_ type: some BinaryInteger) -> IPAddress? { self[type].flatMap { IPAddress(bytes: $0) } }

    /// The value as an Ethernet address, if it has six bytes.
    func mac(_ type: some BinaryInteger) -> MACAddress? { self[type].flatMap { MACAddress(bytes: $0) } }

    /// The attributes inside an attribute.
    func nested(_ type: some BinaryInteger) -> NetlinkAttributes? { self[type].flatMap { NetlinkAttributes($0) } }
}

/// `NLA_TYPE_MASK`, which Swift does not import.
private let nlaTypeMask = 0x3fff
