// Packets with room behind them, as senders and receivers change them.

import SRTP
import SRTPKeys

/// RTP and RTCP packets of tests.
enum TestPacket {
    static func rtp(sequence: UInt16, ssrc: UInt32 = 0, payload: Int = 160, fill: UInt8? = nil) -> [UInt8] {
        [0x80, 96] + ReferenceCipher.bytes(UInt64(sequence), 2) + [0, 0, 0, 7]
            + ReferenceCipher.bytes(UInt64(ssrc), 4)
            + (0..<payload).map { fill ?? UInt8(truncatingIfNeeded: $0 &+ Int(sequence)) }
    }

    /// A sender report without blocks.
    static func report(ssrc: UInt32 = 0, packets: UInt32 = 1) -> [UInt8] {
        [0x80, 200, 0, 6] + ReferenceCipher.bytes(UInt64(ssrc), 4) + [UInt8](repeating: 3, count: 12)
            + ReferenceCipher.bytes(UInt64(packets), 4) + [0, 0, 0, 9]
    }
}

extension SRTPSender {
    mutating func protected(_ packet: [UInt8], isControl: Bool = false) throws -> [UInt8] {
        var bytes = packet + [UInt8](repeating: 0xee, count: 64)
        let count = try bytes.withUnsafeMutableBytes { bytes in
            try protect(bytes.baseAddress!, length: packet.count, isControl: isControl)
        }
        return Array(bytes.prefix(count))
    }
}

extension SRTPReceiver {
    mutating func unprotected(_ packet: [UInt8], isControl: Bool = false, now: UInt64 = 1) throws -> [UInt8] {
        var bytes = packet
        let count = try bytes.withUnsafeMutableBytes { bytes in
            try unprotect(bytes.baseAddress!, length: packet.count, isControl: isControl, now: now)
        }
        return Array(bytes.prefix(count))
    }
}

extension SRTPKey {
    /// A key of bytes in order, from `first` on.
    static func test(
        _ profile: SRTPProfile, first: UInt8 = 1, identifier: [UInt8] = [], ssrc: UInt32? = nil,
        rolloverCounter: UInt32 = 0, lifetime: UInt64? = nil
    ) throws -> SRTPKey {
        try SRTPKey(
            profile, masterKey: (0..<profile.masterKeyLength).map { first &+ UInt8($0) },
            masterSalt: (0..<profile.masterSaltLength).map { first &+ 100 &+ UInt8($0) }, identifier: identifier,
            ssrc: ssrc, rolloverCounter: rolloverCounter, lifetime: lifetime)
    }
}
