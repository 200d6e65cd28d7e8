// The Internet checksum, computed from all bytes (RFC 1071): nothing shared with the incremental one under test.

/// Sums of 16-bit words in network byte order.
public enum InternetChecksum {
    /// The ones' complement sum of the bytes, an odd last one padded with zero, added to `start`.
    public static func sum(_ bytes: some Collection<UInt8>, start: UInt32 = 0) -> UInt32 {
        var sum = start
        var high = true
        for byte in bytes {
            sum += high ? UInt32(byte) << 8 : UInt32(byte)
            high.toggle()
            sum = (sum & 0xffff) + sum >> 16
        }
        return sum
    }

    /// The checksum field for bytes that sum up to `sum`.
    public static func field(_ sum: UInt32) -> UInt16 { ~UInt16((sum & 0xffff) + sum >> 16) }

    /// The sum of the pseudo-header of UDP (RFC 768, RFC 8200 section 8.1).
    public static func pseudoHeader(source: [UInt8], destination: [UInt8], udpLength: Int) -> UInt32 {
        var bytes = source + destination
        bytes.append(bigEndian: UInt32(udpLength))
        bytes.append(bigEndian: UInt32(17))
        return sum(bytes)
    }
}
