// Position of the master key identifier in a packet, and reading and writing it there.

import Glibc
import SRTPKeys

/// The MKI behind a packet (RFC 3711 sections 3.1 and 3.4): before the tag of HMAC, behind everything with AES-GCM, whose tag is part
/// of the encrypted text (RFC 7714 sections 8.1 and 9.2).
struct MasterKeyIdentifier {
    /// Bytes of identifiers.
    let length: Int
    /// Bytes behind the identifier, of packets of either kind.
    let tail: Int
    let controlTail: Int

    init(_ profile: SRTPProfile, length: Int) {
        self.length = length
        tail = profile.isAEAD ? 0 : profile.tagLength
        controlTail = profile.isAEAD ? 0 : profile.controlTagLength
    }

    /// Puts an identifier into a packet that has none. Returns the new length.
    @inline(__always)
    func insert(_ identifier: UInt128, into packet: UnsafeMutableRawPointer, length count: Int, isControl: Bool) -> Int
    {
        guard length > 0 else { return count }
        let tail = isControl ? controlTail : self.tail
        let place = packet + (count &- tail)
        if tail > 0 { memmove(place + length, place, tail) }
        var index = length
        var rest = identifier
        while index > 0 {
            index &-= 1
            place.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: index, as: UInt8.self)
            rest >>= 8
        }
        return count &+ length
    }

    /// The identifier of a packet that is long enough for one.
    @inline(__always)
    func read(_ packet: UnsafeMutableRawPointer, length count: Int, isControl: Bool) -> UInt128 {
        let place = packet + (count &- (isControl ? controlTail : tail) &- length)
        var identifier: UInt128 = 0
        for index in 0..<length {
            identifier = identifier << 8 | UInt128(place.load(fromByteOffset: index, as: UInt8.self))
        }
        return identifier
    }

    /// Takes the identifier out of a packet. Returns the new length.
    @inline(__always)
    func remove(from packet: UnsafeMutableRawPointer, length count: Int, isControl: Bool) -> Int {
        guard length > 0 else { return count }
        let tail = isControl ? controlTail : self.tail
        let place = packet + (count &- tail)
        if tail > 0 { memmove(place - length, place, tail) }
        return count &- length
    }

    /// An identifier's bytes as a number.
    static func number(_ bytes: [UInt8]) -> UInt128 { bytes.reduce(0) { $0 << 8 | UInt128($1) } }
}
