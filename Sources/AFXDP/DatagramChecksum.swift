// The UDP checksum of a datagram that has none.

import CLibXDP
import CrosspointShim

/// Computes the checksum that UDP over IPv6 needs (RFC 8200 section 8.1), over a frame of any number of buffers.
enum DatagramChecksum {
    /// Writes it into the frame of `count` descriptors from `place` on. `offset` is where the UDP header begins in the first
    /// buffer, which holds it and the IPv6 header whole.
    static func write(
        _ ring: UnsafeMutablePointer<xsk_ring_prod>, _ place: UInt32, _ count: UInt32, base: UnsafeMutableRawPointer,
        offset: Int
    ) {
        let first = xsk_ring_prod__tx_desc(ring, place).unsafelyUnwrapped.pointee
        let udp = base + Int(truncatingIfNeeded: first.addr) + offset
        let length = (udp + 4).loadUnaligned(as: UInt16.self)
        // The present value there is not part of the sum.
        (udp + 6).storeBytes(of: 0, as: UInt16.self)
        // The pseudo-header: addresses, length and next header.
        var sum = UInt64(Self.sum(udp - 32, 32)) + UInt64(UInt16(17).bigEndian) + UInt64(length)
        var left = Int(UInt16(bigEndian: length))
        var isOdd = false
        for index in 0..<count {
            let descriptor = xsk_ring_prod__tx_desc(ring, place &+ index).unsafelyUnwrapped.pointee
            let skipped = index == 0 ? offset : 0
            let size = min(Int(descriptor.len) - skipped, left)
            guard size > 0 else { continue }
            var part = Self.sum(base + Int(truncatingIfNeeded: descriptor.addr) + skipped, size)
            // A part that begins at an odd place of the datagram has its bytes the other way round.
            if isOdd { part = part.byteSwapped }
            sum += UInt64(part)
            isOdd = isOdd != (size & 1 == 1)
            left -= size
        }
        let folded = HeaderRewriter.fold(sum)
        (udp + 6).storeBytes(of: folded == 0xffff ? 0xffff : ~folded, as: UInt16.self)
    }

    /// The sum of words as they lie in memory; a last single byte is the first of its word.
    static func sum(_ bytes: UnsafeMutableRawPointer, _ count: Int) -> UInt16 {
        var sum: UInt64 = 0
        var offset = 0
        while offset + 4 <= count {
            sum &+= UInt64((bytes + offset).loadUnaligned(as: UInt32.self))
            offset += 4
        }
        while offset + 2 <= count {
            sum &+= UInt64((bytes + offset).loadUnaligned(as: UInt16.self))
            offset += 2
        }
        if offset < count { sum &+= UInt64(UInt16((bytes + offset).load(as: UInt8.self)).littleEndian) }
        return HeaderRewriter.fold(sum)
    }
}
