// An RTP packet for a test, field by field (RFC 3550 section 5.1).

/// What a test puts behind a UDP header, or expects there.
public struct RTPPacket: Sendable, Hashable {
    /// The header extension (RFC 3550 section 5.3.1): profile word and 32-bit words of data.
    public struct Extension: Sendable, Hashable {
        public var profile: UInt16
        public var data: [UInt8]
        /// What the length field says, in words; nil for the truth.
        public var claimedWords: UInt16?

        public init(profile: UInt16, data: [UInt8], claimedWords: UInt16? = nil) {
            self.profile = profile
            self.data = data
            self.claimedWords = claimedWords
        }

        /// Two elements with one-byte headers (RFC 8285 section 4.2).
        public static let oneByte = Extension(profile: 0xbede, data: [0x10, 0xaa, 0x21, 0xbb, 0xcc, 0, 0, 0])
        /// One element with a two-byte header (RFC 8285 section 4.3).
        public static let twoByte = Extension(profile: 0x1000, data: [0x01, 0x02, 0xaa, 0xbb])
    }

    public var version: UInt8 = 2
    public var marker = false
    public var payloadType: UInt8
    public var sequence: UInt16
    public var timestamp: UInt32
    public var ssrc: UInt32
    public var csrcs: [UInt32] = []
    public var `extension`: Extension?
    public var payload: [UInt8]
    /// Bytes of padding, whose last one says how many they are; nil for none.
    public var padding: Int?
    /// What the last byte of padding says; nil for the truth.
    public var claimedPadding: UInt8?

    public init(
        payloadType: UInt8 = 96, sequence: UInt16 = 1000, timestamp: UInt32 = 90_000, ssrc: UInt32 = 0x1234_5678,
        payload: [UInt8] = (0..<64).map { UInt8($0) }
    ) {
        self.payloadType = payloadType
        self.sequence = sequence
        self.timestamp = timestamp
        self.ssrc = ssrc
        self.payload = payload
    }

    public var bytes: [UInt8] {
        var first = version << 6 | UInt8(csrcs.count)
        if padding != nil { first |= 0x20 }
        if self.extension != nil { first |= 0x10 }
        var bytes = [first, payloadType | (marker ? 0x80 : 0)]
        bytes.append(bigEndian: sequence)
        bytes.append(bigEndian: timestamp)
        bytes.append(bigEndian: ssrc)
        for csrc in csrcs { bytes.append(bigEndian: csrc) }
        if let part = self.extension {
            bytes.append(bigEndian: part.profile)
            bytes.append(bigEndian: part.claimedWords ?? UInt16(part.data.count / 4))
            bytes += part.data
        }
        bytes += payload
        if let padding {
            bytes += [UInt8](repeating: 0, count: max(padding - 1, 0)) + [claimedPadding ?? UInt8(padding)]
        }
        return bytes
    }
}

extension [UInt8] {
    /// Appends a number in network byte order.
    public mutating func append(bigEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }

    /// Reads a number in network byte order.
    public func bigEndian<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type) -> Number {
        self[offset..<offset + MemoryLayout<Number>.size].reduce(0) { $0 << 8 | Number($1) }
    }
}
