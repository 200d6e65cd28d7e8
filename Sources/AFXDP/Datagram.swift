// The headers of a UDP datagram in a frame, as encryption and decryption need them.

import CrosspointShim

/// The headers of a packet in one piece, and where its payload is.
struct Datagram {
    let ip: UnsafeMutableRawPointer
    let udp: UnsafeMutableRawPointer
    let isIPv6: Bool

    /// As it came.
    init(_ start: UnsafeMutableRawPointer, frame: UInt32) {
        ip = start + Int(frame & CROSSPOINT_FRAME_L3_OFFSET.rawValue)
        isIPv6 = frame & CROSSPOINT_FRAME_IPV6.rawValue != 0
        udp = ip + (isIPv6 ? HeaderRewriter.ipv6Length : HeaderRewriter.ipv4Length)
    }

    /// As a leg's: its UDP header stays where it was.
    init(_ came: Datagram, changesFamily: Bool) {
        isIPv6 = came.isIPv6 != changesFamily
        udp = came.udp
        ip = udp - (isIPv6 ? HeaderRewriter.ipv6Length : HeaderRewriter.ipv4Length)
    }

    var payload: UnsafeMutableRawPointer { udp + HeaderRewriter.udpLength }

    /// Bytes of payload, as the UDP header says; nil where it says something impossible.
    @inline(__always) func payloadLength(upTo most: Int) -> Int? {
        let length = Int(UInt16(bigEndian: (udp + 4).loadUnaligned(as: UInt16.self))) &- HeaderRewriter.udpLength
        return length >= 0 && length == most ? length : nil
    }

    /// Writes lengths that are `change` bytes more than they were. The UDP checksum is left out (RFC 768): IPv6 gets one later.
    @inline(__always) func grow(by change: Int) {
        let change = UInt16(truncatingIfNeeded: change)
        func add(_ place: UnsafeMutableRawPointer) -> (before: UInt16, after: UInt16) {
            let before = place.loadUnaligned(as: UInt16.self)
            let after = (UInt16(bigEndian: before) &+ change).bigEndian
            place.storeBytes(of: after, as: UInt16.self)
            return (before, after)
        }
        _ = add(udp + 4)
        (udp + 6).storeBytes(of: 0, as: UInt16.self)
        guard !isIPv6 else {
            _ = add(ip + 4)
            return
        }
        let (before, after) = add(ip + 2)
        let check = (ip + 10).loadUnaligned(as: UInt16.self)
        // RFC 1624, equation 3.
        let sum = UInt64(~check) &+ UInt64(~before) &+ UInt64(after)
        (ip + 10).storeBytes(of: ~HeaderRewriter.fold(sum), as: UInt16.self)
    }
}
