// Reasons for which a datagram is not RTCP.

/// The check of RFC 3550 appendix A.2, or of a packet's own length fields, that a datagram fails.
public enum RTCPError: Error, Hashable, Sendable {
    /// Shorter than a header, or than the lengths in it say.
    case truncated
    /// A version other than 2.
    case version
    /// The first packet is not a report.
    case noReport
    /// Padding before the last packet, or a count of padding that cannot be.
    case padding
    /// A packet's contents do not fit its length; its type.
    case malformed(type: UInt8)
    /// More packets than are accepted.
    case tooMany
}
