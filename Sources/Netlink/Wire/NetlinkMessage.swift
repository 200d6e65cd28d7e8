// Netlink messages (RFC 3549 section 2.2; linux/netlink.h): numbers in host byte order, everything aligned to 4.

import CrosspointShim

/// One netlink message out of a datagram.
struct NetlinkMessage: Equatable {
    static let headerLength = 16

    var type: UInt16
    var flags: UInt16
    var sequence: UInt32
    /// The data that follows the header, without padding.
    var payload: ArraySlice<UInt8>

    /// The messages in a datagram; nil if a length in it is impossible.
    static func messages(in datagram: ArraySlice<UInt8>) -> [NetlinkMessage]? {
        var messages: [NetlinkMessage] = []
        var rest = datagram
        while !rest.isEmpty {
            guard let length = rest.integer(UInt32.self, at: 0).map(Int.init),
                length >= headerLength, length <= rest.count,
                let type = rest.integer(UInt16.self, at: 4), let flags = rest.integer(UInt16.self, at: 6),
                let sequence = rest.integer(UInt32.self, at: 8)
            else { return nil }
            let payload = rest.dropFirst(headerLength).prefix(length - headerLength)
            messages.append(NetlinkMessage(type: type, flags: flags, sequence: sequence, payload: payload))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return messages
    }
}

extension ArraySlice<UInt8> {
    /// The number in host byte order that starts `offset` bytes from the slice's start; nil beyond its end.
    func integer<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int) -> Number? {
        let size = MemoryLayout<Number>.size
        guard offset >= 0, count - offset >= size else { return nil }
        return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
    }
}
